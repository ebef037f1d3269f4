// The example service, with keelson installed from the tarballs that would be published.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib.mjs';
import { packAll } from './pack.mjs';
import { install } from './setup.mjs';

export const service = join(root, 'examples', 'service');

/** The command that installs freshly packed tarballs. */
function installTarballs() {
  const tarballs = packAll();
  // The version has not changed, so that npm would take an older copy for the right one.
  for (const name of ['keelson', '@keelson']) {
    rmSync(join(service, 'node_modules', name), { recursive: true, force: true });
  }
  return ['npm', 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs];
}

/** The steps that give the service its dependencies, keelson as users get it among them. */
export function setUpService() {
  return [
    ...install('install the example service', service),
    {
      name: 'pack keelson into the example service',
      command: installTarballs,
      cwd: service,
      essential: true,
    },
  ];
}
