import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
/** Those that run, and the folder of each for what it leaves. */
const alive = new Map();

// A stopped process would outlive us.
process.on('exit', () => {
  for (const [child, folder] of alive) {
    child.kill('SIGKILL');
    remove(folder);
  }
});

function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Starts the process of one contestant, with what its benchmark has prepared for all of them; resolves when it has set itself up.
 *
 * Between its samples the process is stopped (not on Windows, which has no such thing): V8's helper threads would
 * go on marking, sweeping and compiling on the processors that the next contestant is measured on.
 */
export async function startContestant(benchmark, contestant, { execPath, given = null }) {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  // Servers that a contestant starts run as others than root.
  chmodSync(folder, 0o755);
  const child = fork(CHILD, [benchmark.suite, benchmark.name, contestant, JSON.stringify(given)], {
    execPath,
    env: { ...process.env, TMPDIR: folder, TEMP: folder },
    execArgv: ['--expose-gc', '--max-old-space-size=4096'],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  alive.set(child, folder);
  const ended = once(child, 'exit').finally(() => {
    alive.delete(child);
    remove(folder);
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });

  const reply = async () => {
    const answer = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
    if (answer === undefined) {
      throw new Error(`${contestant} ended in the middle of ${benchmark.name}\n${complaint}`);
    }
    signal(child, 'SIGSTOP');
    return answer[0];
  };

  await reply();
  return {
    sample(round) {
      signal(child, 'SIGCONT');
      child.send(round);
      return reply();
    },
    end() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

function signal(child, name) {
  if (process.platform !== 'win32') {
    child.kill(name);
  }
}
