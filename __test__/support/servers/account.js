// Database servers refuse to run as root; CI often is root. They run as nobody then.
const { execFileSync } = require('node:child_process');

const NOBODY = 'nobody';

function idOf(flag) {
  return Number(execFileSync('id', [flag, NOBODY], { encoding: 'utf8' }));
}

let account;

/** What spawn() takes to run a program that must not be root: nothing, unless this process is. */
exports.account = () => {
  account ??= process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  return account;
};

/** Gives a folder and all in it to that account. */
exports.hand = (folder) => {
  const { uid, gid } = exports.account();
  if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
};
