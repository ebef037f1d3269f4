import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TieredCacheMetrics, TieredCacheOptions } from 'keelson';

/** What its loader gives, and after how many milliseconds. */
interface Next {
  value?: unknown;
  error?: string;
  takes?: number;
}

/** A process with a tiered cache: see tieredChild.js. */
export class TierProcess {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (told: any) => void>();
  private last = 0;
  /** Keys that its loader was called for. */
  readonly loads: string[] = [];

  constructor() {
    const env = { ...process.env, NODE_OPTIONS: '' };
    this.child = fork(join(__dirname, 'tieredChild.js'), { env });
    this.child.on('message', (told: any) => {
      if (told.loading !== undefined) this.loads.push(told.loading);
      else this.waiting.get(told.id)?.(told);
    });
  }

  /** Resolves what it answers; never, if it is killed before. */
  private ask(deed: string, what?: unknown): Promise<any> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ answer, error }) => (error === undefined ? resolve(answer) : reject(error)));
      this.child.send({ id, do: deed, with: what });
    });
  }

  make(l3: TieredCacheOptions['l3']): Promise<void> {
    return this.ask('make', l3);
  }

  source(next: Next): Promise<void> {
    return this.ask('source', next);
  }

  /** So many callers who want a key of the loader at once. */
  read(key: string, callers = 1, tags?: string[]): Promise<unknown[]> {
    return this.ask('read', { key, callers, tags });
  }

  get(key: string): Promise<unknown> {
    return this.ask('get', key);
  }

  set(key: string, value: unknown): Promise<void> {
    return this.ask('set', { key, value });
  }

  delete(key: string): Promise<void> {
    return this.ask('delete', key);
  }

  invalidateTag(tag: string): Promise<void> {
    return this.ask('invalidateTag', tag);
  }

  look(): Promise<TieredCacheMetrics & { events: string[] }> {
    return this.ask('look');
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
