import { once } from 'node:events';
import { join } from 'node:path';

/** Bytes from which on a file is rotated. */
const SIZE = 10 * 2 ** 20;
const MESSAGE = 'request completed';

async function pinoTo(destination, flush) {
  const { default: pino } = await import('pino');
  const logger = pino({ base: null }, destination);
  return { log: (metadata) => logger.info(metadata, MESSAGE), flush: () => flush(logger) };
}

async function sonicBoom(folder, options) {
  const { default: pino } = await import('pino');
  const destination = pino.destination({ dest: join(folder, 'app.log'), ...options });
  return pinoTo(destination, async () => destination.flushSync());
}

async function transport(target, options) {
  const { default: pino } = await import('pino');
  const flushed = (logger) =>
    new Promise((resolve, reject) => logger.flush((error) => (error ? reject(error) : resolve())));
  return pinoTo(pino.transport({ target, options }), flushed);
}

/**
 * Loggers of lines of JSON to files in `folder`, set up as their documentation does it; keelson and those with `rotating`
 * in their name rotate them by size. `log(metadata)` logs a line; when `flush()` resolves all are in the files.
 */
export const loggers = {
  async keelson(folder) {
    const { WorkerAsyncLogger } = await import('keelson');
    const logger = new WorkerAsyncLogger({ logFile: join(folder, 'app.log'), maxFileSize: SIZE });
    return { log: (metadata) => logger.info(MESSAGE, metadata), flush: () => logger.flush() };
  },
  'pino, synchronous': (folder) => sonicBoom(folder, { sync: true }),
  'pino, sonic-boom': (folder) => sonicBoom(folder, { sync: false, minLength: 4096 }),
  'pino, worker': (folder) => transport('pino/file', { destination: join(folder, 'app.log') }),
  'pino, worker rotating': (folder) => transport('pino-roll', { file: join(folder, 'app'), size: '10m' }),
  async 'winston, rotating'(folder) {
    const { default: winston } = await import('winston');
    const { default: DailyRotateFile } = await import('winston-daily-rotate-file');
    const { timestamp, json, combine } = winston.format;
    const open = () => {
      const file = new DailyRotateFile({ dirname: folder, filename: 'app-%DATE%.log', maxSize: SIZE });
      return winston.createLogger({ format: combine(timestamp(), json()), transports: [file] });
    };
    let logger = open();
    return {
      log: (metadata) => logger.info(MESSAGE, metadata),
      // It tells of nothing but its end.
      async flush() {
        const [file] = logger.transports;
        logger.end();
        await once(file, 'finish');
        logger = open();
      },
    };
  },
  async 'rotating-file-stream'(folder) {
    const { createStream } = await import('rotating-file-stream');
    const stream = createStream('app.log', { path: folder, size: '10M' });
    return {
      log(metadata) {
        const entry = { timestamp: Date.now(), level: 'info', message: MESSAGE, metadata };
        stream.write(`${JSON.stringify(entry)}\n`);
      },
      flush: () => new Promise((resolve) => stream.write('', resolve)),
    };
  },
};
