import { once } from 'node:events';
import { type ClientRequestArgs, type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';

/** Lets a server listen on a port of its own, and gives that. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An answer in whole; rejects if the connection ends before. */
export function get(port: number, path = '/', options: ClientRequestArgs = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ...options }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        body += chunk;
      });
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, body }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** A connection on which a test writes and reads bytes. */
export interface Wire {
  socket: Socket;
  /** All that came. */
  bytes(): Buffer;
  /** Resolves once all that came has a text. */
  until(text: string): Promise<void>;
  /** Resolves when the other side has ended it. */
  ended: Promise<void>;
}

/** @param allowHalfOpen does not answer the other side's FIN */
export async function wire(port: number, allowHalfOpen = false): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  const chunks: Buffer[] = [];
  const bytes = () => Buffer.concat(chunks);
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    socket.on('end', resolve);
    socket.on('close', () => resolve());
  });
  await once(socket, 'connect');
  const until = async (text: string) => {
    while (!bytes().includes(text)) {
      if (socket.destroyed) throw new Error(`The connection ended without ${text}: ${bytes()}`);
      await Promise.race([once(socket, 'data'), ended]);
    }
  };
  return { socket, bytes, until, ended };
}

/** The request of a WebSocket's handshake, with RFC 6455's own key. */
export const HANDSHAKE = [
  'GET /socket HTTP/1.1',
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  '\r\n',
].join('\r\n');

/** What a server answers to it. */
export const SWITCH = [
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  '\r\n',
].join('\r\n');

/** A close frame as RFC 6455 has it from a server: FIN, opcode 8, no mask, two bytes, which are 1001. */
export const GOING_AWAY = Buffer.from([0b1000_1000, 2, 1001 >> 8, 1001 & 0xff]);

/** What a server puts behind a client's key before it hashes both. */
export const WEBSOCKET_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
