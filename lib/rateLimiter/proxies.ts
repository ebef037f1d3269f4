import { BlockList, isIP, isIPv4 } from 'node:net';
import { integer, invalid } from '../validate.js';

/** How many proxies in front of the service are believed, or which. */
export type TrustProxy = false | number | readonly string[];

/** Whether the address that is so many steps from this service, 0 its peer, is a proxy's that is believed. */
export type Trusted = (address: string, step: number) => boolean;

/** @throws InvalidArgumentError */
export function trustedBy(name: string, given: TrustProxy): Trusted | undefined {
  if (given === false) return undefined;
  if (typeof given === 'number') {
    const hops = integer(name, given, 1);
    return (_, step) => step < hops;
  }
  if (!Array.isArray(given) || given.length === 0) {
    invalid(name, 'false, a number of proxies, or an array of addresses and networks', given);
  }
  const list = new BlockList();
  for (const [index, one] of given.entries()) add(list, `${name}[${index}]`, one);
  return (address) => isIP(address) !== 0 && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function add(list: BlockList, name: string, given: unknown): void {
  const [address = '', bits, ...more] = typeof given === 'string' ? given.split('/') : [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (
    version === 0 ||
    more.length > 0 ||
    (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= most))
  ) {
    invalid(name, `an address or a network such as '10.0.0.0/8'`, given);
  }
  list.addSubnet(address, bits === undefined ? most : Number(bits), version === 4 ? 'ipv4' : 'ipv6');
}

/**
 * The address of a request's client: from the peer on, X-Forwarded-For is read from its end, where the nearest proxy
 * wrote, as far as the proxies are believed. What a client wrote there itself is behind those, and never reached.
 */
export function clientAddress(req: any, trusted: Trusted | undefined): string {
  const peer: unknown = req.socket?.remoteAddress ?? req.ip;
  if (trusted === undefined) return textOf(req.ip) ?? textOf(peer) ?? 'unknown';
  let address = textOf(peer) ?? 'unknown';
  let step = 0;
  for (const named of forwardedFor(req).reverse()) {
    if (!trusted(unmapped(address), step++)) break;
    const next = addressIn(named.trim());
    if (next === undefined) break;
    address = next;
  }
  return address;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

function forwardedFor({ headers }: any): string[] {
  const found =
    typeof headers?.get === 'function' ? headers.get('x-forwarded-for') : headers?.['x-forwarded-for'];
  const text = Array.isArray(found) ? found.join(',') : found;
  return typeof text === 'string' ? text.split(',') : [];
}

/** Undefined for what is no address, which was written by nobody who is to be believed. */
function addressIn(text: string): string | undefined {
  if (isIP(text) !== 0) return text;
  const bare = withoutPort(text);
  return isIP(bare) === 0 ? undefined : bare;
}

/** `1.2.3.4:567`, `[::1]:567` and `[::1]` as some proxies write them. */
function withoutPort(text: string): string {
  const bracketed = /^\[(.*)\](:\d+)?$/.exec(text);
  if (bracketed !== null) return bracketed[1]!;
  return /^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text;
}

/** An IPv4 address that comes as IPv6, by which a list does not know it. */
function unmapped(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}
