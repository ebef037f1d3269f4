import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode, temporaryFolder } from '../support/process';

const manifest = require('../../package.json') as { version: string; napi: { targets: string[] } };

interface PlatformManifest {
  name: string;
  version: string;
  os: string[];
  cpu: string[];
  libc?: string[];
  main: string;
  files: string[];
  engines: object;
  license: string;
}

const read = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PlatformManifest;

test('the folders of npm/ are what napi makes of the targets in package.json', async () => {
  const { folder, remove } = temporaryFolder();
  try {
    for (const name of ['package.json', 'Cargo.toml']) cpSync(join(root, name), join(folder, name));
    mkdirSync(join(folder, 'npm'));
    const cli = join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js');
    const { code } = await runNode([cli, 'create-npm-dirs'], { cwd: folder });
    expect(code).toBe(0);
    const made = readdirSync(join(folder, 'npm')).sort();
    expect(made).toHaveLength(manifest.napi.targets.length);
    expect(readdirSync(join(root, 'npm')).sort()).toEqual(made);
    for (const name of made) expect(read(join(root, 'npm', name))).toEqual(read(join(folder, 'npm', name)));
  } finally {
    remove();
  }
});

test.each(readdirSync(join(root, 'npm')))('%s states its platform and holds one addon', (name) => {
  const folder = join(root, 'npm', name);
  const [os, cpu, abi] = name.split('-');
  const addon = `keelson.${name}.node`;
  expect(read(folder)).toMatchObject({
    name: `@keelson/binding-${name}`,
    version: manifest.version,
    os: [os],
    cpu: [cpu],
    main: addon,
    files: [addon],
    engines: { node: '>=20' },
    license: 'MIT',
  });
  const libc = { gnu: ['glibc'], musl: ['musl'] }[abi ?? ''];
  expect(read(folder).libc).toEqual(libc);
  expect(existsSync(join(folder, 'README.md'))).toBe(true);
});
