import type { Socket } from 'node:net';

/** A WebSocket's close frame (RFC 6455, 5.5.1) with the code 1001, "going away", as servers send it: not masked. */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/**
 * Ends an upgraded connection by a FIN; a WebSocket is told why. Whoever writes on it from now on has nobody to tell that it failed,
 * and may not have thought of it.
 */
export function sayGoodbye(socket: Socket, isWebSocket: boolean): void {
  if (socket.writableEnded || socket.destroyed) return;
  socket.on('error', () => {});
  if (isWebSocket) socket.end(GOING_AWAY);
  else socket.end();
}
