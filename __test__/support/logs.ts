import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerAsyncLogger, type WorkerAsyncLoggerOptions } from 'keelson';

/** Folders and loggers of a spec, which are gone after each test. */
export function useLogs() {
  const made: { folder: string; loggers: WorkerAsyncLogger[] }[] = [];
  afterEach(async () => {
    for (const { folder, loggers } of made.splice(0)) {
      await Promise.all(loggers.map((logger) => logger.destroy()));
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-log-'));
    const loggers: WorkerAsyncLogger[] = [];
    made.push({ folder, loggers });
    const logs = join(folder, 'logs');
    const file = join(logs, 'app.log');
    return {
      folder,
      logs,
      file,
      open(options: WorkerAsyncLoggerOptions = {}): WorkerAsyncLogger {
        const logger = new WorkerAsyncLogger({ logFile: file, ...options });
        loggers.push(logger);
        return logger;
      },
      names: () => readdirSync(logs).sort(),
      entries: (of = file) => entriesOf(of),
      /** Of all files in the order in which they were rotated, the file itself last. */
      all: () =>
        readdirSync(logs)
          .sort((a, b) => Number(a === 'app.log') - Number(b === 'app.log') || (a < b ? -1 : 1))
          .flatMap((name) => entriesOf(join(logs, name))),
    };
  };
}

function entriesOf(file: string): any[] {
  const text = readFileSync(file, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
