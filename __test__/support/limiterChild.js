// A process of its own that asks a limiter as it is told: { config, key, checks } comes, the numbers of admitted and
// of decided checks go. All checks of a message are made at once.
const { DistributedRateLimiter } = require('../..');

process.on('message', async ({ config, key, checks }) => {
  const limiter = new DistributedRateLimiter(config);
  const results = await Promise.all(Array.from({ length: checks }, () => limiter.check(key)));
  limiter.destroy();
  process.send({
    decided: results.filter(({ source }) => source === 'redis').length,
    admitted: results.filter(({ allowed }) => allowed).length,
  });
});

process.send('ready');
