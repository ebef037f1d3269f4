// Makes the servers available that specs run against, and the browser: node scripts/servers.mjs
//
// Nothing is done, in no time, where their programs are there already. On Debian and its kin apt-get installs the
// missing ones; elsewhere the error says what to install. Specs start servers of their own, so none is left running.
import { join } from 'node:path';
import programs from '../__test__/support/servers/programs.js';
import { run } from './lib.mjs';

const { SERVERS, isInstalled } = programs;

/** Runs as root: installs packages without letting them start their services, which policy-rc.d forbids. */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
`;

function succeeds(command) {
  try {
    run(command);
    return true;
  } catch {
    return false;
  }
}

/** What goes before a command to run it as root; undefined if nobody lets us. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return succeeds(['sudo', '--non-interactive', 'true']) ? ['sudo', '--non-interactive'] : undefined;
}

function install(missing) {
  const titles = missing.map((name) => SERVERS[name].title).join(', ');
  const packages = missing.map((name) => SERVERS[name].debian);
  if (!succeeds(['apt-get', '--version']))
    throw new Error(
      `Specs need ${titles}, which is missing here. Install it so that its programs are in PATH.`,
    );
  const prefix = asRoot();
  if (!prefix) throw new Error(`Specs need ${titles}. Run: sudo apt-get install ${packages.join(' ')}`);
  run([...prefix, 'sh', '-c', INSTALL, 'sh', ...packages]);
}

/** Installs the servers that are missing; throws unless all are there in the end. */
export function prepareServers() {
  const missing = Object.keys(SERVERS).filter((name) => !isInstalled(name));
  if (missing.length > 0) install(missing);
  const absent = missing.filter((name) => !isInstalled(name));
  if (absent.length > 0)
    throw new Error(`apt-get brought no ${absent.flatMap((name) => SERVERS[name].programs).join(', ')}`);
}

/** The step that does it, for npm test. */
export function setUpServers() {
  return [{ name: 'servers for specs', command: ['node', join('scripts', 'servers.mjs')] }];
}

if (process.argv[1] === import.meta.filename) prepareServers();
