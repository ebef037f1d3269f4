import { KeelsonError } from './errors.js';

/** The native addon's factories; `src/` has one Rust module for each. */
export interface Binding {}

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

function load(): Binding {
  try {
    return require('../binding.js') as Binding;
  } catch (cause) {
    const name = platformPackage();
    const { version } = require('../package.json') as { version: string };
    throw new KeelsonError(
      'ERR_KEELSON_BINDING_MISSING',
      `keelson found no native addon for this platform. It comes in the package ${name}, which npm leaves out ` +
        `when it runs with --omit=optional or copies node_modules from another platform. ` +
        `Run: npm install ${name}@${version}`,
      { cause },
    );
  }
}

export const binding: Binding = load();
