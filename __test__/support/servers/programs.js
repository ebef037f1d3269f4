// Which servers specs use, and where their programs are. scripts/servers.mjs installs what is missing.
const { accessSync, constants, readdirSync } = require('node:fs');
const { delimiter, join } = require('node:path');

/** What each server is called, the programs that a spec runs, and the Debian package that brings them. */
exports.SERVERS = {
  postgres: { title: 'PostgreSQL', programs: ['postgres', 'initdb'], debian: 'postgresql' },
  mariadb: { title: 'MariaDB', programs: ['mariadbd', 'mariadb-install-db'], debian: 'mariadb-server' },
  redis: { title: 'Redis', programs: ['redis-server'], debian: 'redis-server' },
  // Of Prometheus specs run no server, but what tests its rules.
  prometheus: { title: 'Prometheus', programs: ['promtool'], debian: 'prometheus' },
};

/** Debian keeps each PostgreSQL in a folder of its own that is not in PATH; the newest one comes first. */
const POSTGRES = '/usr/lib/postgresql';

function postgresFolders() {
  try {
    const versions = readdirSync(POSTGRES).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(POSTGRES, version, 'bin'));
  } catch {
    return [];
  }
}

/** Where programs may be: a user's PATH often leaves out the folders that servers are in. */
function folders() {
  const path = (process.env.PATH ?? '').split(delimiter);
  return [...postgresFolders(), ...path, '/usr/local/sbin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a program, or undefined. */
function findProgram(program) {
  return folders()
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

/** Whether all programs of a server are there. */
exports.isInstalled = (name) => exports.SERVERS[name].programs.every((program) => findProgram(program));

/** The path of a program that has to be there. */
exports.program = function program(name) {
  const file = findProgram(name);
  if (!file) throw new Error(`${name} is not installed; node scripts/servers.mjs installs what specs need`);
  return file;
};
