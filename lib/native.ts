import type { CacheIndex } from './cache/native.js';
import { KeelsonError } from './errors.js';

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

/** The native addon's factories; `src/` has one Rust module for each. */
export interface Binding {
  createCache(
    maxSize: number,
    maxWeight: number,
    s3Fifo: boolean,
    keepKeys: boolean,
    memory: (Float64Array | Int32Array)[],
  ): CacheIndex;
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
