/** What proxies add to a request that they pass on. */
const PROXIED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];
const ADVICE = 'Pass `remote: true` to the Dashboard to let others than this machine in; the token stays.';

/**
 * Why a request is not one of this machine itself, as a text for who sent it; undefined if it is.
 *
 * The host counts too: a name of somebody else's that leads to this machine would let his pages read what is served here.
 */
export function strangerOf(req: any): string | undefined {
  const { headers = {} } = req;
  const proxied = PROXIED.find((name) => headers[name] !== undefined);
  if (proxied !== undefined) return `This request came through a proxy (${proxied}). ${ADVICE}`;
  const address: unknown = req.socket?.remoteAddress;
  if (typeof address !== 'string' || !isLoopback(address.replace(/^::ffff:/i, '')))
    return `This request came from another machine. ${ADVICE}`;
  const host: unknown = headers.host ?? headers[':authority'];
  if (typeof host !== 'string' || !isLocal(host.replace(/:\d+$/, '')))
    return `This request is not for localhost. ${ADVICE}`;
  return undefined;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}

function isLocal(host: string): boolean {
  return host === '[::1]' || /^(?:[^.]+\.)*localhost$/i.test(host) || isLoopback(host);
}
