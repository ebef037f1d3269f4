import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ENTRIES } from './build.mjs';
import { REQUEST_LIMIT } from './requests.mjs';

const INSIDE = fileURLToPath(new URL('inside.cjs', import.meta.url));
const FLOOR = fileURLToPath(new URL('floor.mjs', import.meta.url));
const KB_PER_MB = 1024;
/** Milliseconds until a server that does not tell of itself is taken to stand still. */
const PATIENCE = 60_000;

const commandOf = (name) => (name in ENTRIES ? [ENTRIES[name]] : [FLOOR, name]);

/** Resident memory of a process in MB, as the system has it. */
function residentOf(pid) {
  const kilobytes =
    process.platform === 'linux'
      ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', pid], { encoding: 'utf8' });
  return Number(kilobytes) / KB_PER_MB;
}

/**
 * Starts a variant of the service, or a floor, in a process of its own, as it is started anywhere else; resolves when it listens.
 *
 * @param {string} folder for what it leaves
 * @param {string} execPath the Node.js that it runs on
 */
export async function startServer(name, folder, execPath = process.execPath) {
  const server = spawn(execPath, ['--require', INSIDE, ...commandOf(name)], {
    env: {
      ...process.env,
      ...{ PORT: '0', TRUSTED_PROXIES: '1', REQUEST_LIMIT: String(REQUEST_LIMIT) },
      LOG_FILE: join(folder, name, 'application.log'),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let complaint = '';
  server.stderr.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-2000);
  });
  const ended = once(server, 'exit');
  const isRunning = () => server.exitCode === null && server.signalCode === null;
  const lines = createInterface({ input: server.stdout });
  const [line] = await Promise.race([once(lines, 'line'), ended.then(() => [''])]);
  const url = / at (http\S+)$/.exec(line)?.[1];
  if (url === undefined) throw new Error(`${name} did not start\n${complaint}`);
  return {
    url,
    /** What it wrote to its standard error last. */
    get complaint() {
      return complaint;
    },
    /** In MB; undefined when it has ended. */
    resident: () => (isRunning() ? residentOf(server.pid) : undefined),
    /** What there is to tell of the time since this was asked last; undefined when it has ended, or stands still. */
    async inside() {
      if (!isRunning()) return undefined;
      server.send('tell');
      const patience = AbortSignal.timeout(PATIENCE);
      const [told] = await Promise.race([
        once(server, 'message', { signal: patience }).catch(() => []),
        ended.then(() => []),
      ]);
      return told;
    },
    async end() {
      server.kill('SIGKILL');
      await ended;
    },
  };
}
