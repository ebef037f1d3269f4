// A thread that holds the listening socket and sleeps. Each event loop with a listening socket takes connections from
// it; this one never runs while it has it, and so leaves all of them to the threads that answer.
import { type AddressInfo, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { KeeperSettings, Kept } from './socket';

const { port, host, released } = workerData as KeeperSettings;
const server = createServer();

// An error goes to whoever has started the thread.
server.listen(port, host, () => {
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  parentPort!.postMessage({ fd, address: server.address() as AddressInfo } satisfies Kept);
  Atomics.wait(released, 0, 0);
  server.close();
});
