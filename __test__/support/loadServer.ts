import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';

const closing: (() => Promise<unknown>)[] = [];

/** Ends the servers of a test after it. */
export function useLoadServers(): void {
  afterEach(() => Promise.all(closing.splice(0).map((close) => close())));
}

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    return closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address of an HTTP server. */
export const serveHttp = (listener: RequestListener): Promise<string> => listen(createServer(listener));

/** The address of a server that is told of each request (without a body) as it comes in, and writes what it likes. */
export function serveRaw(onRequest: (socket: Socket) => void, onConnection = (_: Socket) => {}) {
  return listen(
    createNetServer((socket) => {
      onConnection(socket);
      socket.on('data', (chunk) => {
        if (chunk.toString().endsWith('\r\n\r\n')) onRequest(socket);
      });
    }),
  );
}

/** An address where nothing listens. */
export async function nobody(): Promise<string> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
