const { Redis } = require('ioredis');

/** Fails at once where the server is down; nothing is tried again. */
const ONCE = { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0, enableOfflineQueue: true };

/** A client of ioredis with a connection of its own to a server; who asks for it closes it. */
exports.redisClient = (server, options = {}) => {
  const { host, port, ...account } = server.config;
  const client = new Redis({ ...ONCE, host, port, ...account, ...options });
  // A command that fails says so itself.
  client.on('error', () => {});
  return client;
};

/** The answer to one command on a connection of its own. */
exports.redisCommand = async (server, ...command) => {
  const client = exports.redisClient(server);
  try {
    return await client.call(...command);
  } finally {
    client.disconnect();
  }
};

/** Resolves once `condition` holds; who starts servers waits for what they tell each other. */
exports.until = async (condition, what, limit = 60_000) => {
  const deadline = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
