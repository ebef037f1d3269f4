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

/** Processes of their own for the tests of a file, each with limiters of its own. */
export function useChildren(count: number): (task: Task) => Promise<Answer[]> {
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    for (let n = 0; n < count; n++) children.push(fork(join(__dirname, 'limiterChild.js'), { env }));
    await Promise.all(children.map((child) => once(child, 'message')));
  });

  afterAll(async () => {
    // A child whose channel is closed has nothing more to do: it ends by itself.
    await Promise.all(
      children.map((child) => {
        const ended = once(child, 'exit');
        child.disconnect();
        return ended;
      }),
    );
  });

  return (task) =>
    Promise.all(
      children.map(async (child) => {
        child.send(task);
        const [answer] = await once(child, 'message');
        return answer as Answer;
      }),
    );
}
