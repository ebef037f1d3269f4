import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a process is to do, and what came out; see limiterChild.js. */
export interface Task {
  config: object;
  key: string;
  checks: number;
}

export interface Answer {
  decided: number;
  admitted: number;
}

/** The next message of a process; rejects if it ends before. */
function next(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null) => reject(new Error(`It ended with ${code}`));
    if (!child.connected) failed(child.exitCode);
    child.once('exit', failed);
    child.once('message', (message) => {
      child.off('exit', failed);
      resolve(message);
    });
  });
}

/** Processes of their own for the tests of a file, each with limiters of its own. */
export function useChildren(count: number): (task: Task) => Promise<Answer[]> {
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    for (let n = 0; n < count; n++) children.push(fork(join(__dirname, 'limiterChild.js'), { env }));
    await Promise.all(children.map(next));
  });

  afterAll(async () => {
    const open = children.filter(({ connected }) => connected);
    // One whose channel is closed has nothing more to do: it ends by itself.
    const ended = open.map((child) => once(child, 'exit'));
    for (const child of open) child.disconnect();
    await Promise.all(ended);
  });

  return (task) =>
    Promise.all(
      children.map((child) => {
        if (child.connected) child.send(task);
        return next(child) as Promise<Answer>;
      }),
    );
}
