// A process that hands the listening socket it has inherited to the thread that has started it, and ends.
import { createServer } from 'node:net';
import { INHERITED } from './socket';

const server = createServer().listen({ fd: INHERITED });
process.send!('socket', server);
// In the same turn, so that it takes no connection itself.
server.close();
// Until then it waits for the thread to have it.
process.once('disconnect', () => {});
