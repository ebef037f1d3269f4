import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { answersOf, logIn } from './answers.mjs';
import { startServer } from './server.mjs';

const GENERATOR = fileURLToPath(new URL('generator.mjs', import.meta.url));

export const CONNECTIONS = 10_000;
/** Of each of the two processes, besides its connections. */
const OTHER_FILES = 500;

/** Node.js raises its own limit as far as it may; how far that is, somebody else has said. */
function requireFiles() {
  if (process.platform === 'win32') return;
  const allowed = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  const wanted = CONNECTIONS + OTHER_FILES;
  if (allowed !== 'unlimited' && Number(allowed) < wanted) {
    throw new Error(
      `${CONNECTIONS} connections take ${wanted} open files a process, but only ${allowed} are allowed here: raise that by "ulimit -Hn ${wanted}" as root, or in /etc/security/limits.conf`,
    );
  }
}

/** A generator that stands still for its own garbage is late, and sees late what has come meanwhile. */
const SHORT_PAUSES = ['--max-semi-space-size=2'];

async function startGenerator(url, execPath) {
  const generator = fork(GENERATOR, [], { execPath, execArgv: SHORT_PAUSES, serialization: 'advanced' });
  const ended = once(generator, 'exit').then(([code]) => {
    throw new Error(`the generator of requests ended with ${code}`);
  });
  ended.catch(() => {});
  const ask = async (what) => {
    generator.send(what);
    const [answer] = await Promise.race([once(generator, 'message'), ended]);
    return answer;
  };
  await ask({ open: { url, connections: CONNECTIONS } });
  return { run: (run) => ask({ run }), end: () => generator.kill('SIGKILL') };
}

/**
 * Starts a server and opens connections to it.
 *
 * `run` sends requests of a `load`, for some `seconds`, at a `rate` if there is one, and resolves to what came of them. `answers` is
 * what a service, and no floor, has answered to one request of each kind.
 */
export async function startSession(name, { isService = true, execPath = process.execPath } = {}) {
  requireFiles();
  const server = await startServer(name, tmpdir(), execPath);
  const cookie = isService ? await logIn(server.url) : '';
  const answers = isService ? await answersOf(server.url, cookie) : 'none';
  const generator = await startGenerator(server.url, execPath);
  return {
    server,
    answers,
    run: (run) => generator.run({ ...run, cookie }),
    async end() {
      generator.end();
      await server.end();
    },
  };
}
