import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

/**
 * Worker threads that parse and write JSON. Texts go there, and values come back, by structured clone.
 *
 * As the original: all threads are started at once, but every task goes to the first; priorities do nothing; text above 1 MB
 * resolves undefined; revivers and replacers are lost; each task has a timer of 30 s; the queue has no bound; this file is the
 * workers' too, and so takes the messages of whichever worker imports it.
 */
const MEGABYTE = 2 ** 20;
const TIMEOUT = 30_000;

type Kind = 'parse' | 'stringify';

interface Task {
  id: number;
  kind: Kind;
  data: unknown;
  resolve: (value: any) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
  started: number;
}

interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

/** Not of the original, whose users look at lengths themselves. */
export class JSONLimitError extends Error {}

/** Nor is this, whose users have the value, and write again what they keep of it. */
export class JSONDocument {
  constructor(private readonly value: any) {}

  typeOf(pointer: string): string {
    const value = this.get(pointer);
    return Array.isArray(value) ? 'array' : typeof value;
  }

  length(pointer: string): number | undefined {
    const value = this.get<unknown>(pointer);
    return typeof value === 'object' && value !== null ? Object.keys(value).length : undefined;
  }

  keys(): string[] | undefined {
    return typeof this.value === 'object' && !Array.isArray(this.value) ? Object.keys(this.value) : undefined;
  }

  get<T = any>(pointer: string): T | undefined {
    const names = pointer.split('/').slice(1);
    return names.reduce((value, name) => value?.[name], this.value);
  }

  /** With one `*`. */
  async column<T = any>(pattern: string, _options: { signal: AbortSignal }): Promise<T[]> {
    const [list, member] = pattern.split('/*/') as [string, string];
    return this.get<any[]>(list)!.map((item) => item?.[member] ?? null);
  }

  slices(pointer: string): string[] {
    return this.get<unknown[]>(pointer)!.map((item) => JSON.stringify(item));
  }

  close(): void {}
}

export class JSONWorkerPool {
  private readonly workers: Worker[];
  private readonly pending = new Map<number, Task>();
  private counts = { processed: 0, errors: 0, time: 0 };
  private nextId = 0;

  constructor(maxWorkers = Math.max(2, Math.floor(availableParallelism() / 2))) {
    this.workers = Array.from({ length: maxWorkers }, () => {
      const worker = new Worker(__filename);
      worker.on('message', (reply: Reply) => this.finish(reply));
      return worker;
    });
  }

  enqueueTask<T>(kind: Kind, data: unknown, _options?: object, _priority?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      const timer = setTimeout(() => this.finish({ id, error: 'JSON task timed out' }), TIMEOUT);
      this.pending.set(id, { id, kind, data, resolve, reject, timer, started: Date.now() });
      this.workers[0]!.postMessage({ id, kind, data });
    });
  }

  /** Of a body, as its users write it: the length is looked at, and no depth. */
  async parse(
    bytes: Buffer,
    { maxBytes }: { maxBytes: number; maxDepth: number; signal: AbortSignal },
  ): Promise<unknown> {
    if (bytes.length > maxBytes) throw new JSONLimitError(`The text is longer than ${maxBytes} bytes`);
    return this.enqueueTask('parse', bytes.toString('utf8'));
  }

  async openDocument(
    bytes: Buffer,
    limits: { maxBytes: number; maxDepth: number; signal: AbortSignal },
  ): Promise<JSONDocument> {
    return new JSONDocument(await this.parse(bytes, limits));
  }

  /** In one piece. */
  async *stringify(value: unknown, _options: { as: 'chunks' }): AsyncGenerator<string> {
    yield await this.enqueueTask<string>('stringify', value);
  }

  getStats() {
    const { processed, errors, time } = this.counts;
    return {
      totalProcessed: processed,
      errorCount: errors,
      avgProcessingTime: time / (processed || 1),
      activeWorkers: this.workers.length,
      queueSize: this.pending.size,
      memoryUsage: process.memoryUsage(),
    };
  }

  metrics() {
    return this.getStats();
  }

  async flush(): Promise<void> {
    await Promise.allSettled([...this.pending.values()].map(({ id }) => this.settled(id)));
  }

  async destroy(): Promise<void> {
    for (const { id } of this.pending.values()) this.finish({ id, error: 'JSON Worker Pool destroyed' });
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private async settled(id: number): Promise<void> {
    while (this.pending.has(id)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  private finish({ id, result, error }: Reply): void {
    const task = this.pending.get(id);
    if (task === undefined) return;
    this.pending.delete(id);
    clearTimeout(task.timer);
    this.counts.processed++;
    this.counts.time += Date.now() - task.started;
    if (error === undefined) task.resolve(result);
    else {
      this.counts.errors++;
      task.reject(new SyntaxError(error));
    }
  }
}

let pool: JSONWorkerPool | undefined;

export function getJsonWorkerPool(): JSONWorkerPool {
  pool ??= new JSONWorkerPool();
  return pool;
}

export async function destroyJsonWorkerPool(): Promise<void> {
  await pool?.destroy();
  pool = undefined;
}

export const parseJSONAsync = (text: string): Promise<any> => getJsonWorkerPool().enqueueTask('parse', text);
export const stringifyJSONAsync = (value: unknown): Promise<string> =>
  getJsonWorkerPool().enqueueTask('stringify', value);

function work(kind: Kind, data: unknown): unknown {
  if (kind === 'stringify') return JSON.stringify(data);
  const text = data as string;
  return text.length > MEGABYTE ? undefined : JSON.parse(text);
}

if (!isMainThread) {
  parentPort!.on('message', ({ id, kind, data }: { id: number; kind: Kind; data: unknown }) => {
    try {
      parentPort!.postMessage({ id, result: work(kind, data) });
    } catch (error) {
      parentPort!.postMessage({ id, error: (error as Error).message });
    }
  });
}
