const { createServer } = require('node:net');

/**
 * Below the range from which systems take the ports of outgoing connections: while a server is down, none of them
 * can take its port, nor be connected to itself there.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port of the loopback interface that nobody listens at, nor at the one that lies `second` above it. */
exports.freePort = async (second = 0) => {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - second - LOWEST));
    if ((await isFree(port)) && (await isFree(port + second))) return port;
  }
};
