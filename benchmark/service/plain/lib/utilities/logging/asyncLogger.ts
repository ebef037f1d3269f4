import { EventEmitter } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * Entries are gathered and go by structured clone to a worker thread, which writes them.
 *
 * As the original: a batch is lost with one entry that cannot be cloned or written, or when the file cannot; beyond `maxBuffer`
 * entries are lost without a count; what is buffered at exit is lost; its interval keeps the process alive; this file is the
 * worker's too.
 */
type Level = 'debug' | 'info' | 'warn' | 'error';

interface Entry {
  timestamp: number;
  level: Level;
  message: string;
  metadata: object | undefined;
  requestId: unknown;
  userId: unknown;
  service: unknown;
}

interface Settings {
  logFile: string;
  maxFileSize: number;
}

const BATCH = 100;
const FLUSH_INTERVAL = 1000;

export class WorkerAsyncLogger extends EventEmitter {
  private buffer: Entry[] = [];
  private readonly worker: Worker;
  private readonly interval: NodeJS.Timeout;
  private readonly counts = { totalLogs: 0, errorCount: 0, warnCount: 0, sentLogs: 0 };
  private readonly started = Date.now();
  private destroyed = false;

  constructor(
    logFile = './logs/application.log',
    maxFileSize = 100 * 2 ** 20,
    private readonly maxBuffer = 10_000,
  ) {
    super();
    const settings: Settings = { logFile, maxFileSize };
    this.worker = new Worker(__filename, { workerData: settings });
    this.worker.on('error', (error) => this.emit('error', error));
    this.interval = setInterval(() => this.send(), FLUSH_INTERVAL);
  }

  log(level: Level, message: string, metadata?: Record<string, unknown>): void {
    if (this.destroyed) return;
    this.counts.totalLogs++;
    if (level === 'error') this.counts.errorCount++;
    if (level === 'warn') this.counts.warnCount++;
    if (this.buffer.length >= this.maxBuffer) return;
    const { requestId, userId, service } = metadata ?? {};
    this.buffer.push({ timestamp: Date.now(), level, message, metadata, requestId, userId, service });
    if (this.buffer.length >= BATCH) this.send();
  }

  debug(message: string, metadata?: Record<string, unknown>): void {
    this.log('debug', message, metadata);
  }

  info(message: string, metadata?: Record<string, unknown>): void {
    this.log('info', message, metadata);
  }

  warn(message: string, metadata?: Record<string, unknown>): void {
    this.log('warn', message, metadata);
  }

  error(message: string, metadata?: Record<string, unknown>): void {
    this.log('error', message, metadata);
  }

  /** Not of the original: what its users write. */
  child(fields: object): { info(message: string, metadata: object): void } {
    return { info: (message, metadata) => this.info(message, { ...fields, ...metadata }) };
  }

  async flush(): Promise<void> {
    this.send();
  }

  async getStats() {
    const { length: bufferSize } = this.buffer;
    const unknown = { avgProcessingTime: 0, droppedLogs: 0, avgLatency: 0 };
    return { ...this.counts, ...unknown, bufferSize, workerUptime: Date.now() - this.started };
  }

  async destroy(): Promise<void> {
    this.destroyed = true;
    clearInterval(this.interval);
    await this.worker.terminate();
  }

  private send(): void {
    const entries = this.buffer;
    if (entries.length === 0) return;
    this.buffer = [];
    try {
      this.worker.postMessage(entries);
      this.counts.sentLogs += entries.length;
    } catch (error) {
      console.error('Logger: a batch was lost', error);
    }
  }
}

function rotate(logFile: string): void {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  renameSync(logFile, logFile.replace('.log', `-${stamp}.log`));
}

if (!isMainThread) {
  const { logFile, maxFileSize } = workerData as Settings;
  mkdirSync(dirname(logFile), { recursive: true });
  parentPort!.on('message', (entries: Entry[]) => {
    try {
      if (existsSync(logFile) && statSync(logFile).size > maxFileSize) rotate(logFile);
      appendFileSync(logFile, `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`);
    } catch (error) {
      console.error('Logger: a batch was lost', error);
    }
  });
}
