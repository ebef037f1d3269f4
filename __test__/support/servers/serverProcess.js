const { spawn } = require('node:child_process');
const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { account } = require('./account.js');
const { freePort } = require('./ports.js');
const { ownFolder } = require('./template.js');

/**
 * Outlives a test runner that is killed: once its standard input ends, it kills the server whose number is in the
 * file `pid`, cleans up as the kind of server asks for, and removes the folder.
 */
const GUARD = (cleanUp) =>
  ['cat > /dev/null', 'cd "$1"', 'test -e pid && kill -9 "$(cat pid)"', cleanUp, 'cd /', 'rm -rf "$1"'].join(
    '\n',
  );

/** What a server printed last, for the message of a failure. */
const KEPT = 10_000;
const HOST = '127.0.0.1';

/** The processes that a process started, where the kernel tells them. */
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Whether a process runs, or has still to be cleared away by the kernel. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    const [state] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1);
    // A dead process of which nobody took notice yet holds nothing any more.
    return state !== 'Z';
  } catch {
    return false;
  }
}

const signal = (pid, name) => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
};

/**
 * A server of its own for a spec or a benchmark: in a temporary folder, on a free port, run by another account than
 * root. A kind is `{ title, data(folder), command(folder, port, settings), ready, stopSignal, cleanUp, config }`: what
 * fills the folder with data, what starts the server, what it prints once it takes connections, what ends it in order,
 * a line of shell that removes what a killed one leaves outside of its folder. One with `secondPort` listens as many
 * ports higher too.
 */
exports.ServerProcess = class ServerProcess {
  #kind;
  #settings;
  #folder;
  #guard;
  #child;
  #printed = '';

  constructor(kind, settings = {}) {
    this.#kind = kind;
    this.#settings = settings;
    this.host = HOST;
    this.port = 0;
  }

  /** How to connect, named as the config of keelson's utilities. */
  get config() {
    return { host: this.host, port: this.port, ...this.#kind.config };
  }

  /** What the server printed last. */
  get log() {
    return this.#printed;
  }

  get isRunning() {
    return this.#child !== undefined;
  }

  /** Starts the server, with the port and the data that it had before; resolves once it takes connections. */
  async start() {
    if (this.#child) throw new Error(`${this.#kind.title} runs already`);
    if (this.#folder) return this.#launch();
    this.#prepareFolder();
    for (let tries = 5; ; tries--) {
      this.port = await freePort(this.#kind.secondPort);
      try {
        return await this.#launch();
      } catch (error) {
        // Somebody may have taken the port in the meantime.
        if (tries === 1) throw error;
      }
    }
  }

  /** Ends the server in order; its clients are told. */
  async stop() {
    const child = this.#child;
    if (!child) return;
    signal(child.pid, this.#kind.stopSignal);
    await this.#ended(child);
  }

  /** Kills the server and all of its processes with SIGKILL, as a power cut would. */
  async kill() {
    const child = this.#child;
    if (!child) return;
    // Stopped, it starts no further ones and does not see the others die.
    signal(child.pid, 'SIGSTOP');
    const processes = childrenOf(child.pid);
    for (const pid of [child.pid, ...processes]) signal(pid, 'SIGKILL');
    await this.#ended(child);
    while (processes.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Kills the server and removes its folder. */
  async remove() {
    await this.kill();
    const guard = this.#guard;
    if (!guard) return;
    this.#guard = undefined;
    this.#folder = undefined;
    guard.ref();
    const closed = new Promise((resolve) => guard.once('close', resolve));
    guard.stdin.end();
    await closed;
  }

  #prepareFolder() {
    const folder = ownFolder();
    this.#folder = folder;
    this.#guard = spawn('sh', ['-c', GUARD(this.#kind.cleanUp ?? ''), 'sh', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // A program that fails may end: then the guard does its work.
    this.#guard.unref();
    this.#guard.stdin.unref();
    this.#kind.data(join(folder, 'data'));
  }

  async #launch() {
    const folder = this.#folder;
    const [program, ...args] = this.#kind.command(folder, this.port, this.#settings);
    // Detached: Ctrl-C is for the test runner, whose hooks or whose guard end the server.
    const child = spawn(program, args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...account(),
    });
    this.#child = child;
    this.#printed = '';
    child.once('exit', () => this.#forget(child));
    await new Promise((resolve, reject) => {
      const listen = (chunk) => {
        this.#printed = (this.#printed + chunk).slice(-KEPT);
        if (this.#kind.ready.test(this.#printed)) resolve();
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.once('error', reject);
      child.once('close', () => reject(new Error(`${this.#kind.title} did not start:\n${this.#printed}`)));
      if (child.pid !== undefined) writeFileSync(join(folder, 'pid'), String(child.pid));
    });
    for (const handle of [child, child.stdout, child.stderr]) handle.unref();
  }

  #forget(child) {
    if (this.#child === child) this.#child = undefined;
    // Its number may be another's soon.
    if (this.#folder) rmSync(join(this.#folder, 'pid'), { force: true });
  }

  #ended(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    return new Promise((resolve) => child.once('exit', resolve));
  }
};
