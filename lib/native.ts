import type { NativeBreaker } from './breaker/native.js';
import type { CacheIndex } from './cache/native.js';
import { KeelsonError } from './errors.js';
import type { NativePool, NativeText } from './json/native.js';
import type { NativeLog } from './log/native.js';
import type { NativeMetrics } from './metrics/native.js';
import type { NativeConnectionPool } from './pool/native.js';
import type { NativeRateLimiter } from './rateLimiter/native.js';
import type { NativePlanner, NativeRedisLink } from './redis/native.js';
import type { NativeSharedCache } from './sharedCache/native.js';

/** A native timing wheel over arrays that the facade made and fills: see src/timer.rs. Times are in milliseconds. */
export interface TimerWheel {
  /** Carries out the first `count` queued operations. */
  apply(count: number): void;
  /** Moves time on and fills `expired` with what is due; called again while it returns more than 0. */
  advance(now: number): number;
  /** The earliest deadline; Infinity when nothing waits. */
  nextDeadline(): number;
  /** A slot's deadline; NaN when it is not in the wheel. */
  deadline(slot: number): number;
  /** Takes larger arrays into use. */
  resize(place: Int32Array, opSlots: Int32Array, opDeadlines: Float64Array): void;
  clear(): void;
}

/** A native compiler of route patterns: see src/router.rs, and crates/core/src/router/flatten.rs for the table. */
export interface RouterIndex {
  /**
   * Reads a pattern and counts one use of each of its shapes. Returns the variants that its optional parameters
   * make, all of them present first and none last, separated by '\n'; the fields of one by '\0': the shape's
   * number, flags (1 wildcard, 2 ends in '*', 4 ends in a named catch-all, 8 static), the
   * normalised pattern, and the parameters' names in order.
   *
   * @throws ERR_KEELSON_INVALID_ARGUMENT if it is no pattern; nothing has changed then
   */
  declare(pattern: string): string;
  /** Counts one use more of a shape in use. */
  retain(shape: number): void;
  /** Gives one use of a shape back. Its number is given again once no use is left. */
  release(shape: number): void;
  /** Compiles a table of pairs, a shape and the leaf (0 or more) to find there, and returns its length. */
  compile(pairs: Int32Array): number;
  /** Copies the table compiled last to an array of its length, and drops it. */
  take(out: Int32Array): void;
  /**
   * Matches what a mixed segment with regexes takes, from where its parameters begin to the segment's end, and
   * writes the start and the end of each parameter, relative to `text`. `id` and the number of parameters are in
   * the table, as long as the shape is in use.
   */
  matchMixed(id: number, text: string, out: Int32Array): boolean;
}

/** The native addon's factories; `src/` has one Rust module for each. */
export interface Binding {
  /**
   * Options are those of lib/log/native.ts in their order, `rotation` a cron expression; it and `symlink` are empty for none.
   *
   * @throws ERR_KEELSON_INVALID_ARGUMENT, or ERR_KEELSON_LOG where a journal cannot be made, both at the head of the message
   */
  createLog(
    path: string,
    rotation: string,
    symlink: string,
    options: Float64Array,
    numbers: Float64Array,
    wake: () => void,
  ): NativeLog;
  createCache(
    maxSize: number,
    maxWeight: number,
    s3Fifo: boolean,
    keepKeys: boolean,
    memory: (Float64Array | Int32Array)[],
  ): CacheIndex;
  /** Over arrays whose places lib/breaker/native.ts names. */
  createCircuitBreaker(
    options: Float64Array,
    state: Int32Array,
    due: Float64Array,
    successes: Float64Array,
    figures: Float64Array,
  ): NativeBreaker;
  /** Over arrays whose places lib/pool/native.ts names; `actions` holds any number of triples. */
  createConnectionPool(
    options: Float64Array,
    state: Float64Array,
    actions: Int32Array,
    returns: Float64Array,
  ): NativeConnectionPool;
  /** `wake` is called when a job has something for this thread; `memory` is that of `stepMemory()`. */
  createJsonPool(threads: number, wake: () => void, memory: (Float64Array | Int32Array)[]): NativePool;
  createJsonText(): NativeText;
  /** Options as those of a {@link NativeRedisLink.limiter}. */
  createRateLimitPlanner(
    prefix: string,
    options: Float64Array,
    lengths: Uint32Array,
    numbers: Float64Array,
  ): NativePlanner;
  /** `spec` is that of `redisSpec()`; `wake` is called when something is done. */
  createRedisLink(
    spec: string,
    wake: () => void,
    asks: Float64Array,
    lengths: Uint32Array,
    numbers: Float64Array,
  ): NativeRedisLink;
  /** Options: keys at most, for how long a denial blocks, then the limits: see lib/rateLimiter/native.ts. */
  createRateLimiter(options: Float64Array, numbers: Float64Array): NativeRateLimiter;
  /** Flags: 1 ASCII case-insensitive, 2 trailing slashes matter, 4 doubled slashes matter. */
  createRouter(flags: number): RouterIndex;
  /** `wake`, which this does not hold, is called when another member wants to hear of it, or those that it asked have told. */
  joinMetrics(wake: () => void): NativeMetrics;
  /**
   * Bytes, entries, 1 for LRU, and shards; `wake` is called when `take` has something.
   *
   * @throws ERR_KEELSON_INVALID_ARGUMENT at the head of the message, where the name is open with others
   */
  openSharedCache(
    name: string,
    options: Float64Array,
    numbers: Float64Array,
    wake: () => void,
  ): NativeSharedCache;
  createTimerWheel(
    place: Int32Array,
    opSlots: Int32Array,
    opDeadlines: Float64Array,
    expired: Int32Array,
  ): TimerWheel;
  /** The version that the addon was built from. */
  bindingVersion(): string;
}

/** The platform package that holds the addon for this process, as the folders of `npm/` name them. */
export function platformPackage(
  platform: string = process.platform,
  arch: string = process.arch,
  musl: boolean = platform === 'linux' && isMusl(),
): string {
  const abi = platform === 'win32' ? '-msvc' : platform === 'linux' ? (musl ? '-musl' : '-gnu') : '';
  return `@keelson/binding-${platform}-${arch}${abi}`;
}

function isMusl(): boolean {
  // Node's own diagnostic report names the C library only where it is glibc.
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

/**
 * Why an addon that is there did not load, as the dynamic linker says it; undefined where none is there. The
 * generated loader tries several places and chains what it met as causes, of which only the messages are left.
 */
function linkError({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  return cause.message.startsWith('Cannot find module') ? linkError(cause) : cause.message;
}

function missing(version: string, cause: Error): KeelsonError {
  const name = platformPackage();
  const command = `Run: npm install ${name}@${version}`;
  const override = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  const reason = linkError(cause);
  const problem = override
    ? `keelson could not load the native addon that NAPI_RS_NATIVE_LIBRARY_PATH names, ${override}` +
      `${reason === undefined ? '' : ` (${reason})`}. Correct or unset that variable. Without it the addon ` +
      `comes from the package ${name}. ${command}`
    : reason === undefined
      ? `keelson found no native addon for this platform. It comes in the package ${name}, which npm leaves out ` +
        `when it runs with --omit=optional or copies node_modules from another platform. ${command}`
      : `keelson could not load its native addon: ${reason}. The addon for this ` +
        `platform comes in the package ${name}. ${command}`;
  return new KeelsonError('ERR_KEELSON_BINDING_MISSING', problem, { cause });
}

function load(): Binding {
  const { version } = require('../package.json') as { version: string };
  let found: Partial<Binding>;
  try {
    found = require('../binding.js') as Partial<Binding>;
  } catch (cause) {
    throw missing(version, cause as Error);
  }
  // A lock file or a copied folder can pair the two packages wrongly. Better to say so here than to crash in
  // a call whose arguments have changed.
  const built = found.bindingVersion?.() ?? 'unknown';
  if (built === version) return found as Binding;
  const name = platformPackage();
  throw new KeelsonError(
    'ERR_KEELSON_BINDING_MISSING',
    `keelson ${version} found the native addon of version ${built}. Run: npm install ${name}@${version}`,
  );
}

export const binding: Binding = load();
