// Initialising a data folder takes seconds, copying one does not: it is made once and kept in .cache.
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { account, hand } = require('./account.js');

const CACHE = join(__dirname, '..', '..', '..', '.cache', 'servers');

/** A new folder of which everything may be written by the account that servers run as. */
exports.ownFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-server-'));
  hand(folder);
  return folder;
};

/** Copies a folder with its modes and owners. */
const copy = (from, to) => execFileSync('cp', ['-a', from, to]);

/** Fills a data folder by `commands`, none of which runs as root. */
function initialise(commands, data) {
  for (const { program, args, input = '' } of commands(data))
    execFileSync(program, args, { cwd: dirname(data), input, stdio: 'pipe', ...account() });
}

function make(template, commands) {
  const folder = exports.ownFolder();
  const staged = mkdtempSync(join(CACHE, 'making-'));
  try {
    initialise(commands, join(folder, 'data'));
    copy(join(folder, 'data'), staged);
    renameSync(join(staged, 'data'), template);
  } catch (error) {
    // Another worker may have been faster.
    if (!existsSync(template)) throw error;
  } finally {
    for (const left of [folder, staged]) rmSync(left, { recursive: true, force: true });
  }
}

/**
 * Copies an initialised data folder to `data`, which must not be there yet. `commands(data)` lists the commands
 * `{ program, args, input? }` that initialise one; they run in the folder above it.
 */
exports.copyTemplate = (kind, commands, data) => {
  const asked = JSON.stringify([commands('data'), account()]);
  const template = join(CACHE, `${kind}-${createHash('sha256').update(asked).digest('hex').slice(0, 16)}`);
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(template)) make(template, commands);
  copy(template, data);
};
