import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A process that does as it is asked: { id, do, with } goes to it, { id, answer } or { id, error } comes back. */
export abstract class AskedProcess {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (told: any) => void>();
  private last = 0;

  /** @param script a file of this folder */
  constructor(script: string) {
    const env = { ...process.env, NODE_OPTIONS: '' };
    this.child = fork(join(__dirname, script), { env });
    this.child.on('message', (told: any) => {
      if (told.id === undefined) this.hear(told);
      else this.waiting.get(told.id)?.(told);
    });
  }

  /** What it tells without being asked. */
  protected abstract hear(told: any): void;

  /** Resolves what it answers; never, if it is killed before. */
  protected ask(deed: string, what?: unknown): Promise<any> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ answer, error }) => (error === undefined ? resolve(answer) : reject(error)));
      this.child.send({ id, do: deed, with: what });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
