import { Stop } from '../command.js';

/** What a WebSocket of Node's and one of the package ws have in common, as far as it is needed here. */
export interface Socket {
  send(text: string): void;
  close(): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

type SocketClass = new (url: string) => Socket;

/** Node has a WebSocket of its own since version 22. */
function socketClass(): SocketClass {
  const { WebSocket } = globalThis as { WebSocket?: SocketClass };
  if (WebSocket !== undefined) return WebSocket;
  try {
    return require('ws') as SocketClass;
  } catch {
    throw new Stop(
      3,
      `Node.js ${process.versions.node} has no WebSocket, by which an inspector is spoken to. Install the package ws (npm install --save-dev ws), or run this by Node.js 22 or later: the service may stay at its version`,
    );
  }
}

export function openSocket(url: string): Promise<Socket> {
  const socket = new (socketClass())(url);
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Stop(3, `The inspector at ${url} takes no connection`));
    socket.addEventListener('open', () => resolve(socket));
    socket.addEventListener('error', fail);
    socket.addEventListener('close', fail);
  });
}
