// Makes the tarballs that are tested and published: node scripts/pack.mjs [--all] [--out FOLDER]
//
// One for each platform whose addon lies in the project's root (`--all`: it is an error if one of them is
// missing), and the main one. The main tarball lists the platform packages as optionalDependencies, and
// package.json does not: there they would have to be in the registry before `npm ci` could install anything.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { manifest, readJson, root, run } from './lib.mjs';

/** Members of package.json that serve this repository only. */
const DEVELOPMENT = ['scripts', 'devDependencies', 'allowScripts', 'napi'];

/** Every platform of package.json's targets: the folder of npm/, its manifest, and where its addon is built. */
export function platforms() {
  return manifest.napi.targets.map((target) => {
    const folder = join(root, 'npm', platformOf(target));
    const packageJson = readJson(join(folder, 'package.json'));
    return { target, folder, packageJson, addon: join(root, packageJson.main) };
  });
}

/** `x86_64-unknown-linux-gnu` as the folders of npm/ name it: `linux-x64-gnu`. */
export function platformOf(target) {
  const [cpu, , os, abi] = target.split('-');
  const arch = { x86_64: 'x64', aarch64: 'arm64' }[cpu];
  return [os === 'windows' ? 'win32' : os, arch, abi].filter(Boolean).join('-');
}

/** The manifest of the main package as users get it. */
export function publishedManifest() {
  const kept = Object.entries(manifest).filter(([name]) => !DEVELOPMENT.includes(name));
  const addons = platforms().map(({ packageJson }) => [packageJson.name, manifest.version]);
  return { ...Object.fromEntries(kept), optionalDependencies: Object.fromEntries(addons) };
}

/** Packs `folder` into `out`, and returns the tarball's path. */
function pack(folder, out) {
  const [{ filename }] = JSON.parse(
    run(['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', out], { cwd: folder }),
  );
  return join(out, filename);
}

function packPlatform({ folder, addon }, stage, out) {
  cpSync(folder, stage, { recursive: true });
  cpSync(addon, join(stage, addon.slice(root.length + 1)));
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'));
  return pack(stage, out);
}

function packMain(stage, out) {
  // npm itself says which files belong in; only the manifest differs.
  const [{ files }] = JSON.parse(run(['npm', 'pack', '--json', '--ignore-scripts', '--dry-run']));
  for (const { path } of files) {
    mkdirSync(dirname(join(stage, path)), { recursive: true });
    cpSync(join(root, path), join(stage, path));
  }
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
  return pack(stage, out);
}

/** Makes the tarballs in `out`; the platform packages come first, as they must when they are published. */
export function packAll({ all = false, out = join(root, '.cache', 'pack') } = {}) {
  const built = platforms().filter(({ addon, target }) => {
    if (existsSync(addon)) return true;
    if (all) throw new Error(`The addon for ${target} is missing: ${addon}`);
    return false;
  });
  if (built.length === 0) throw new Error('No addon is built. Run: npm run build');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const stages = mkdtempSync(join(tmpdir(), 'keelson-pack-'));
  try {
    const addons = built.map((platform, index) => packPlatform(platform, join(stages, String(index)), out));
    return [...addons, packMain(join(stages, 'main'), out)];
  } finally {
    rmSync(stages, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { all: { type: 'boolean' }, out: { type: 'string' } } });
  for (const tarball of packAll(values)) console.log(tarball);
}
