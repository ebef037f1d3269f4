// A thread that runs the whole service, on a socket that all of them share.
import { parentPort, workerData } from 'node:worker_threads';
import { readConfig } from '../config';
import { running } from '../running';
import { receiveSocket } from './socket';

export interface WorkerSettings {
  number: number;
  /** Common to all threads of the service. */
  service: string;
  /** The file descriptor of the socket. */
  fd: number;
  /** The same for all. */
  dashboardToken: string;
}

/** What a thread tells. */
export const LISTENING = 'listening';
/** What it is told: all of them listen, and to stop. */
export type Order = 'ready' | 'stop';

const { fd, dashboardToken, ...thread } = workerData as WorkerSettings;
const service = running({ ...readConfig(process.env), dashboardToken }, thread);
const main = parentPort!;

async function start(): Promise<void> {
  await service.startOn(() => receiveSocket(fd));
  main.postMessage(LISTENING);
}

// What fails here ends the thread, and whoever has started it is told.
const started = start();

async function stop(): Promise<void> {
  await started;
  await service.stop();
  main.close();
}

main.on('message', (order: Order) => {
  if (order === 'ready') service.context.starting = false;
  else void stop();
});
