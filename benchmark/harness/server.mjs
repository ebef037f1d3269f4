import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { service } from '../../scripts/service.mjs';

const SERVE = fileURLToPath(new URL('serve.mjs', import.meta.url));
const SERVICE = fileURLToPath(new URL('../../scripts/service.mjs', import.meta.url));

/** Starts a server of ./serve.mjs in a process of its own. */
export async function startServer(set, name) {
  const server = fork(SERVE, [set, name]);
  server.once('exit', (code) => {
    throw new Error(`the server ${name} ended with ${code}`);
  });
  const [{ port }] = await once(server, 'message');
  /** What it has taken until now, in microseconds. */
  const processorTime = async () => {
    server.send('usage');
    const [{ processor }] = await once(server, 'message');
    return processor;
  };
  return { url: `http://127.0.0.1:${port}`, processorTime };
}

/** Builds the example service, on keelson as it is packed now; what is in place already is left. */
export function buildExample() {
  const run = (command, args, cwd) =>
    execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  run(process.execPath, [SERVICE, 'prepare']);
  run('npm', ['run', 'build'], service);
}
