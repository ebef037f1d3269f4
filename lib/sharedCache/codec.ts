import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { InvalidArgumentError } from '../errors.js';
import { type Crossing, KIND, type NativeSharedCache } from './native.js';

/** A value as it crosses. */
export interface Encoded {
  readonly crossing: string | number | Uint8Array;
  /** Of {@link KIND}, for bytes. */
  readonly kind: number;
}

/** @throws InvalidArgumentError for what cannot be cloned, and for undefined */
export function encode(value: unknown): Encoded {
  if (typeof value === 'string' || typeof value === 'number') return { crossing: value, kind: 0 };
  if (types.isUint8Array(value)) return { crossing: value, kind: KIND.bytes };
  return { crossing: cloned(value), kind: KIND.clone };
}

/** Gives a value to the cache for a purpose, and returns what came of it. */
export function give(
  native: NativeSharedCache,
  key: string,
  { crossing, kind }: Encoded,
  ttl: number,
  purpose: number,
): number {
  if (typeof crossing === 'string') return native.text(key, crossing, ttl, purpose);
  if (typeof crossing === 'number') return native.number(key, crossing, ttl, purpose);
  return native.bytes(key, crossing, ttl, purpose, kind);
}

/** What was encoded, of a kind. */
export function decode(kind: number, crossing: Crossing): unknown {
  return kind === KIND.clone ? deserialize(crossing as Buffer) : crossing;
}

/** A value as it would come out: without its class, and bytes as a Buffer. @throws InvalidArgumentError as `encode` */
export function copyOf(value: unknown): unknown {
  const { crossing, kind } = encode(value);
  return decode(kind, crossing instanceof Uint8Array ? Buffer.from(crossing) : crossing);
}

/** The bytes of a clone. @throws InvalidArgumentError for what cannot be cloned, and for undefined */
export function cloned(value: unknown): Buffer {
  if (value === undefined) throw new InvalidArgumentError('"value" must be something, but it is undefined');
  try {
    return serialize(value);
  } catch (error) {
    throw new InvalidArgumentError(
      `"value" must be something that can be cloned: ${(error as Error).message}`,
    );
  }
}
