const { execFileSync } = require('node:child_process');
const { join } = require('node:path');
const { program } = require('./programs.js');
const { ServerProcess } = require('./serverProcess.js');
const { copyTemplate } = require('./template.js');

const NAME = 'keelson';

/** Small files, so that the folder is quickly copied. */
const SMALL = ['--innodb-log-file-size=4M', '--innodb-data-file-path=ibdata1:5M:autoextend'];

const INSTALL = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db', ...SMALL];

/** Grants are not known to a bootstrapping server until it reads them. */
const ACCOUNTS = [
  'FLUSH PRIVILEGES;',
  `CREATE DATABASE ${NAME};`,
  `CREATE USER '${NAME}'@'%' IDENTIFIED BY '${NAME}';`,
  `GRANT ALL PRIVILEGES ON *.* TO '${NAME}'@'%' WITH GRANT OPTION;`,
].join('\n');

/** What a server is started with: a commit reaches the kernel, which outlives a kill, but not the disk. */
const SETTINGS = {
  'bind-address': '127.0.0.1',
  'skip-name-resolve': 'ON',
  'innodb-flush-log-at-trx-commit': 2,
  'innodb-flush-method': 'nosync',
  'innodb-buffer-pool-size': '16M',
  'innodb-doublewrite': 'OFF',
};

function initialise(data) {
  const version = execFileSync(program('mariadbd'), ['--version'], { encoding: 'utf8' }).trim();
  return [
    { program: program('mariadb-install-db'), args: [...INSTALL, `--datadir=${data}`] },
    // The version is in the input so that another one makes another template.
    {
      program: program('mariadbd'),
      args: ['--no-defaults', '--bootstrap', ...SMALL, `--datadir=${data}`],
      input: `-- ${version}\n${ACCOUNTS}\n`,
    },
  ];
}

function command(folder, port, settings) {
  const paths = {
    datadir: join(folder, 'data'),
    socket: join(folder, 'socket'),
    'pid-file': join(folder, 'own-pid'),
  };
  const all = Object.entries({ ...SETTINGS, ...paths, port, ...settings });
  return [
    program('mariadbd'),
    '--no-defaults',
    ...SMALL,
    ...all.map(([name, value]) => `--${name}=${value}`),
  ];
}

const MARIADB = {
  title: 'MariaDB',
  config: { database: NAME, username: NAME, password: NAME },
  data: (data) => copyTemplate('mariadb', initialise, data),
  command,
  ready: /ready for connections/,
  stopSignal: 'SIGTERM',
};

/** A MariaDB of its own, not started yet; `settings` are those of my.cnf. */
exports.createMariaDB = (settings) => new ServerProcess(MARIADB, settings);
