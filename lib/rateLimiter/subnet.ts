import { isIPv6 } from 'node:net';

/** Bits of an IPv6 address, and of one of its groups. */
const BITS = 128;
const GROUP = 16;

/**
 * The network of an address: an IPv6 one with its first `bits`, as most clients have such a network to themselves. IPv4
 * addresses are clients, also those that come as IPv6. What is no address stays as it is.
 */
export function subnetOf(address: string, bits: number): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const groups = groupsOf(address);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return dotted(groups);
  const kept = groups.map((group, index) => group & mask(bits - index * GROUP));
  const text = kept.map((group) => group.toString(16)).join(':');
  return bits === BITS ? text : `${text}/${bits}`;
}

/** Of a group of which so many bits count. */
function mask(bits: number): number {
  return bits >= GROUP ? 0xffff : bits <= 0 ? 0 : (0xffff << (GROUP - bits)) & 0xffff;
}

/** The eight groups of a valid address. Its zone, such as %eth0, is left out. */
function groupsOf(address: string): number[] {
  const [text = ''] = address.split('%');
  const [head = '', tail] = text.split('::');
  const before = numbersOf(head);
  if (tail === undefined) return before;
  const after = numbersOf(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function numbersOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function dotted(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
