// Completes a package-lock.json: node scripts/complete-lock.mjs [folder]. Run it after `npm install` changed one.
//
// npm leaves an optional platform package out of the lock file when the registry could not serve it, and then
// `npm ci` refuses that lock file on every machine, whatever its platform. The missing entries follow from
// their dependents' manifests and from their own names; machines of another platform pass over them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PLATFORMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const ARCHITECTURES = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

/** Where the dependency `name` of the package at `from` is found: beside it, or in a folder above. */
function resolve(packages, from, name) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const path = `${base ? `${base}/` : ''}node_modules/${name}`;
    if (path in packages) return path;
    if (base === '') return undefined;
  }
}

/** The lock file's entry for a platform package that was never seen, from its name and its dependent. */
function entry(name, range, dependent) {
  const words = name.split(/[/-]/);
  const os = PLATFORMS.filter((platform) => words.includes(platform));
  const cpu = ARCHITECTURES.filter((architecture) => words.includes(architecture));
  if (os.length + cpu.length === 0)
    throw new Error(`${name} does not tell its platform; install it and try again`);
  const musl = words.some((word) => word.startsWith('musl'));
  const glibc = words.some((word) => word.startsWith('gnu'));
  return {
    version: range.replace(/^[~^]/, ''),
    ...(cpu.length > 0 && { cpu }),
    ...(dependent.dev && { dev: true }),
    ...((musl || glibc) && { libc: [musl ? 'musl' : 'glibc'] }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

const file = join(process.argv[2] ?? '.', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = {};
for (const [path, dependent] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(dependent.optionalDependencies ?? {})) {
    if (resolve(lock.packages, path, name) === undefined)
      added[`node_modules/${name}`] = entry(name, range, dependent);
  }
}
const [root, ...others] = Object.entries({ ...lock.packages, ...added });
lock.packages = Object.fromEntries([root, ...others.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${file}: ${Object.keys(added).length} entries added`);
