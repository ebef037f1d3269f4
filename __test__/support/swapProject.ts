import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Outcome, root, runNode, temporaryFolder } from './process';

export const CLI = join(root, 'dist', 'cli.js');

/** Small hand-written modules, in the manner of those that services have. */
export const ORIGINALS = {
  timers: `export class TimerManager {
  private timeouts = new Set<NodeJS.Timeout>();
  setTimeout(callback: () => void, ms: number): NodeJS.Timeout {
    const handle = setTimeout(() => { this.timeouts.delete(handle); callback(); }, ms);
    this.timeouts.add(handle);
    return handle;
  }
  getStats() { return { timeouts: this.timeouts.size, intervals: 0, total: this.timeouts.size }; }
  destroy(): void { for (const handle of this.timeouts) clearTimeout(handle); this.timeouts.clear(); }
}
export const timerManager = new TimerManager();
process.on('SIGTERM', () => process.exit(0));
`,
  cache: `export interface CacheItem<V> { value: V; timestamp: number; ttl: number; accessCount: number; lastAccessed: number }
export class BoundedLRUCache<K, V> {
  private readonly items = new Map<string, V>();
  constructor(private readonly maxSize: number, private readonly defaultTtl = 300000) {}
  set(key: K, value: V): void {
    if (this.items.size >= this.maxSize) this.items.delete(this.items.keys().next().value as string);
    this.items.set(String(key), value);
  }
  get(key: K): V | undefined { return this.items.get(String(key)); }
  get size(): number { return this.items.size; }
  destroy(): void { this.items.clear(); }
}
export class CircularBuffer<T> {
  private readonly items: T[] = [];
  constructor(private readonly capacity: number) {}
  push(item: T): void { this.items.push(item); if (this.items.length > this.capacity) this.items.shift(); }
  getAll(): T[] { return [...this.items]; }
}
`,
  database: `interface Internal { n: number }
export interface DatabaseConfig { host: string; port: number; database: string; username: string; password: string }
class DatabaseConnectionPool {
  constructor(readonly config: DatabaseConfig, private readonly internal?: Internal) {}
  async close(): Promise<void> {}
}
export { DatabaseConnectionPool };
export default DatabaseConnectionPool;
`,
} as const;

export interface SwapProject {
  folder: string;
  /** Runs `keelson swap` in the project. */
  swap(...args: string[]): Promise<Outcome>;
  read(path: string): string;
  write(path: string, contents: string | Buffer): void;
  git(...args: string[]): string;
  /** Every file but git's and installed ones, with its bytes. */
  snapshot(): Record<string, string>;
}

/** Projects in folders of their own, which are gone after each test. */
export function useProjects() {
  const removals: (() => void)[] = [];
  afterEach(() => {
    for (const remove of removals.splice(0)) remove();
  });
  return (
    files: Record<string, string | Buffer>,
    { git: inGit = true, typescript = true } = {},
  ): SwapProject => {
    const { folder: parent, remove } = temporaryFolder();
    removals.push(remove);
    const folder = join(parent, 'my prøject');
    const write = (path: string, contents: string | Buffer) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), contents);
    };
    write('package.json', '{ "name": "service", "version": "1.0.0" }\n');
    for (const [path, contents] of Object.entries(files)) write(path, contents);
    if (typescript) {
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(
        join(root, 'node_modules', 'typescript'),
        join(folder, 'node_modules', 'typescript'),
        'junction',
      );
    }
    const git = (...args: string[]): string => {
      const settings = [
        'user.name=t',
        'user.email=t@t.invalid',
        'core.autocrlf=false',
        'commit.gpgsign=false',
      ];
      const flags = settings.flatMap((setting) => ['-c', setting]);
      const { status, stdout, stderr } = spawnSync('git', [...flags, ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
      return stdout;
    };
    if (inGit) {
      if (files['.gitignore'] === undefined) write('.gitignore', 'node_modules\n');
      git('init', '-q');
      git('add', '.');
      git('commit', '-q', '-m', 'all');
    }
    return {
      folder,
      swap: (...args) => runNode([CLI, 'swap', ...args], { cwd: folder }),
      read: (path) => readFileSync(join(folder, path), 'utf8'),
      write,
      git,
      snapshot: () => snapshotOf(folder),
    };
  };
}

function snapshotOf(folder: string, path = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isFile()) found[inner] = readFileSync(join(folder, inner)).toString('hex');
    else if (entry.isDirectory() && inner !== '.git' && inner !== 'node_modules') {
      Object.assign(found, snapshotOf(folder, inner));
    }
  }
  return found;
}
