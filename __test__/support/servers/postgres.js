const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { program } = require('./programs.js');
const { ServerProcess } = require('./serverProcess.js');
const { copyTemplate } = require('./template.js');

const NAME = 'keelson';

/** Small log segments, so that the folder is quickly copied; passwords are checked as in production. */
const INITDB = [
  '--no-sync',
  '--no-instructions',
  '--wal-segsize=1',
  '--locale=C',
  '--encoding=UTF8',
  '--auth=scram-sha-256',
  `--username=${NAME}`,
];

/** What a server is started with: a commit reaches the kernel, which outlives a kill, but not the disk. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '16MB',
  // In files of the data folder, which go when it goes.
  dynamic_shared_memory_type: 'mmap',
};

function initialise(data) {
  const initdb = [program('initdb'), ...INITDB, '--pwfile=password', '-D', data];
  const version = execFileSync(program('postgres'), ['--version'], { encoding: 'utf8' }).trim();
  // The version is in the command so that another one makes another template.
  const script = `echo ${NAME} > password && "$@" # ${version}`;
  return [{ program: 'sh', args: ['-c', script, 'sh', ...initdb] }];
}

function command(folder, port, settings) {
  const all = Object.entries({ ...SETTINGS, port, ...settings });
  const flags = all.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return [program('postgres'), '-D', join(folder, 'data'), ...flags];
}

const POSTGRES = {
  title: 'PostgreSQL',
  config: { database: 'postgres', username: NAME, password: NAME },
  data: (data) => copyTemplate('postgres', initialise, data),
  command,
  ready: /database system is ready to accept connections/,
  // Fast shutdown: sessions are ended, their transactions rolled back.
  stopSignal: 'SIGINT',
  // Its segment of System V shared memory: the seventh line has its key and its number.
  cleanUp: 'test -e data/postmaster.pid && (set -- $(sed -n 7p data/postmaster.pid); ipcrm -m "$2")',
};

/** A PostgreSQL of its own, not started yet; `settings` are those of postgresql.conf. */
exports.createPostgres = (settings) => new ServerProcess(POSTGRES, settings);
