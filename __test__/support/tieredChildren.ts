import type { TieredCacheMetrics, TieredCacheOptions } from 'keelson';
import { AskedProcess } from './askedProcess';

/** What its loader gives, and after how many milliseconds. */
interface Next {
  value?: unknown;
  error?: string;
  takes?: number;
}

/** A process with a tiered cache: see tieredChild.js. */
export class TierProcess extends AskedProcess {
  /** Keys that its loader was called for. */
  readonly loads: string[] = [];

  constructor() {
    super('tieredChild.js');
  }

  protected hear({ loading }: { loading: string }): void {
    this.loads.push(loading);
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
}
