import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ENTRIES } from './build.mjs';
import { REQUEST_LIMIT } from './requests.mjs';

const INSIDE = fileURLToPath(new URL('inside.cjs', import.meta.url));
const FLOOR = fileURLToPath(new URL('floor.mjs', import.meta.url));
const MB = 2 ** 20;

const commandOf = (name) => (name in ENTRIES ? [ENTRIES[name]] : [FLOOR, name]);

/** Resident memory of a process in MB, as the system has it. */
function residentOf(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return (Number(kilobytes) * 1024) / MB;
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
  const lines = createInterface({ input: server.stdout });
  const [line] = await Promise.race([once(lines, 'line'), ended.then(() => [''])]);
  const url = / at (http\S+)$/.exec(line)?.[1];
  if (url === undefined) throw new Error(`${name} did not start\n${complaint}`);
  return {
    url,
    get isRunning() {
      return server.exitCode === null && server.signalCode === null;
    },
    get complaint() {
      return complaint;
    },
    resident: () => residentOf(server.pid),
    /** What there is to tell of the time since this was asked last. */
    async inside() {
      server.send('tell');
      const [told] = await once(server, 'message');
      return told;
    },
    async end() {
      server.kill('SIGKILL');
      await ended;
    },
  };
}
