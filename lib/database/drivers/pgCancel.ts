import { isIP } from 'node:net';
import type { Pg, PgClient } from './pgClient.js';

/** Where a client is connected to, as `connect` of another connection takes it. */
function address({ host, port, connection, ssl }: PgClient): {
  target: [number | string, string?];
  ssl: unknown;
} {
  if (host.startsWith('/')) return { target: [`${host}/.s.PGSQL.${port}`], ssl };
  // The very server: after a failover the name may stand for another one.
  const { remoteAddress, remotePort } = connection.stream;
  const named = typeof ssl === 'object' && isIP(host) === 0 ? { servername: host, ...ssl } : ssl;
  const safe = named === true ? { servername: isIP(host) === 0 ? host : undefined } : named;
  return { target: [remotePort ?? port, remoteAddress ?? host], ssl: safe };
}

/**
 * Sends a CancelRequest for whatever a client's backend runs, over a connection of its own, as the protocol wants it,
 * with TLS where the client has it. Resolves when the server has closed that connection: it has signalled the
 * backend by then.
 */
export function requestCancel(pg: Pg, client: PgClient, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { target, ssl } = address(client);
  const wire = new pg.Connection({ ssl });
  return new Promise<void>((resolve, reject) => {
    const send = (): void => wire.cancel(client.processID, client.secretKey);
    wire.on('error', (error) => {
      wire.stream.destroy();
      reject(error);
    });
    wire.once('connect', () => (ssl ? wire.requestSsl() : send()));
    // The stream is a TLSSocket now, which holds back what is written before its handshake.
    wire.once('sslconnect', send);
    const abort = (): void => void wire.stream.destroy();
    signal.addEventListener('abort', abort, { once: true });
    wire.once('end', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    wire.connect(...target);
    wire.stream.unref();
  });
}
