// A server in a process of its own, so that who sends the requests takes no time from it: `serve.mjs <set> <server>`.
// It tells its port, and what processor time it has taken whenever it is asked; it ends with who started it.
const SETS = {
  async frameworks(name) {
    const [{ servers }, { tables }] = await Promise.all([
      import('../peers/servers.mjs'),
      import('../data/tables.mjs'),
    ]);
    return servers[name](tables.service());
  },
  async example(name) {
    const { exampleServices } = await import('../peers/exampleService.mjs');
    return exampleServices[name]();
  },
  async bodies(name) {
    const { bodyServices } = await import('../peers/exampleService.mjs');
    return bodyServices[name]();
  },
};

const [set, name] = process.argv.slice(2);
const port = await SETS[set](name);

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ processor: user + system });
});
process.on('disconnect', () => process.exit());
process.send({ port });
