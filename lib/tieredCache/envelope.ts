import { randomFillSync } from 'node:crypto';
import { deserialize } from 'node:v8';
import { cloned } from '../sharedCache/codec.js';

/** Of what an envelope says; one of another version is as good as none. */
const VERSION = 1;
const KIND = { absent: 0, utf8: 1, utf16: 2, number: 3, bytes: 4, clone: 5 } as const;
/** Places of its head. Tags as JSON and the value follow. */
const AT = { version: 0, kind: 1, tags: 4, position: 8, freshUntil: 16, keep: 24, mark: 32 } as const;
/** Bytes of its head, the last of which are random: whether one is another is told by its head. */
export const HEAD = 40;
const EMPTY = Buffer.alloc(0);

/** Stands for a value that the source does not have. */
export const ABSENT: unique symbol = Symbol('absent');

/** A value as L2 and L3 store it, with what is to be known of it. Times are in milliseconds. */
export class Envelope {
  #tags: readonly string[] | undefined;

  private constructor(readonly bytes: Buffer) {}

  /**
   * @param position of the news until which the source was looked at
   * @param freshUntil by the clock of this machine
   * @param keep for how long it is of use after that
   * @throws InvalidArgumentError for what cannot be cloned
   */
  static seal(
    value: unknown,
    tags: readonly string[],
    position: number,
    freshUntil: number,
    keep: number,
  ): Envelope {
    const { kind, body } = bodyOf(value);
    const meta = tags.length === 0 ? EMPTY : Buffer.from(JSON.stringify(tags));
    const bytes = Buffer.allocUnsafeSlow(HEAD + meta.length + body.length);
    bytes.fill(0, 0, AT.position);
    bytes[AT.version] = VERSION;
    bytes[AT.kind] = kind;
    bytes.writeUInt32LE(meta.length, AT.tags);
    bytes.writeDoubleLE(position, AT.position);
    bytes.writeDoubleLE(freshUntil, AT.freshUntil);
    bytes.writeDoubleLE(keep, AT.keep);
    randomFillSync(bytes, AT.mark, HEAD - AT.mark);
    bytes.set(meta, HEAD);
    bytes.set(body, HEAD + meta.length);
    return new Envelope(bytes);
  }

  /** What is not an envelope of this version, or is damaged, is none. */
  static open(bytes: unknown): Envelope | undefined {
    if (!(bytes instanceof Uint8Array) || bytes.length < HEAD || bytes[AT.version] !== VERSION)
      return undefined;
    const envelope = new Envelope(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return envelope.#isWhole() ? envelope : undefined;
  }

  #isWhole(): boolean {
    if (HEAD + this.bytes.readUInt32LE(AT.tags) > this.bytes.length) return false;
    if (Number.isNaN(this.position) || Number.isNaN(this.life(0))) return false;
    try {
      return Array.isArray(this.tags) && this.tags.every((tag) => typeof tag === 'string');
    } catch {
      return false;
    }
  }

  get position(): number {
    return this.bytes.readDoubleLE(AT.position);
  }

  set position(position: number) {
    this.bytes.writeDoubleLE(position, AT.position);
  }

  get freshUntil(): number {
    return this.bytes.readDoubleLE(AT.freshUntil);
  }

  /** For how long it is of use. */
  life(now: number): number {
    return this.freshUntil + this.bytes.readDoubleLE(AT.keep) - now;
  }

  get tags(): readonly string[] {
    const length = this.bytes.readUInt32LE(AT.tags);
    this.#tags ??=
      length === 0 ? [] : (JSON.parse(this.bytes.toString('utf8', HEAD, HEAD + length)) as string[]);
    return this.#tags;
  }

  /** It is of no use any more, but to those who are given it. */
  spend(): void {
    this.bytes.writeDoubleLE(0, AT.freshUntil);
    this.bytes.writeDoubleLE(0, AT.keep);
  }

  /** As it is after a way from another machine, whose clock may differ: it has so long to live. Infinity stays. */
  arrived(now: number, life: number): this {
    if (this.freshUntil !== Number.POSITIVE_INFINITY) {
      this.bytes.writeDoubleLE(now + life - this.bytes.readDoubleLE(AT.keep), AT.freshUntil);
    }
    return this;
  }

  /** The value; {@link ABSENT} if there is none. @throws where it cannot be read */
  value(): unknown {
    const { bytes } = this;
    const from = HEAD + bytes.readUInt32LE(AT.tags);
    switch (bytes[AT.kind]) {
      case KIND.absent:
        return ABSENT;
      case KIND.utf8:
        return bytes.toString('utf8', from);
      case KIND.utf16:
        return bytes.toString('utf16le', from);
      case KIND.number:
        return bytes.readDoubleLE(from);
      case KIND.bytes:
        return Buffer.from(bytes.subarray(from));
      case KIND.clone:
        return deserialize(bytes.subarray(from));
      default:
        throw new RangeError('A value of an unknown kind');
    }
  }
}

function bodyOf(value: unknown): { kind: number; body: Uint8Array } {
  if (value === ABSENT) return { kind: KIND.absent, body: EMPTY };
  if (typeof value === 'string') {
    // UTF-8 has no form for halves of surrogate pairs.
    return value.isWellFormed()
      ? { kind: KIND.utf8, body: Buffer.from(value) }
      : { kind: KIND.utf16, body: Buffer.from(value, 'utf16le') };
  }
  if (typeof value === 'number') {
    const body = Buffer.alloc(8);
    body.writeDoubleLE(value);
    return { kind: KIND.number, body };
  }
  if (value instanceof Uint8Array) return { kind: KIND.bytes, body: value };
  return { kind: KIND.clone, body: cloned(value) };
}
