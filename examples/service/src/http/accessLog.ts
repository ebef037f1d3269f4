import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { WorkerAsyncLogger } from '../lib/utilities/logging/asyncLogger';
import { statusOf } from './middleware';

/** What a proxy may call a request; anything else gets a name of ours. */
const REQUEST_ID = /^[\w-]{1,64}$/;

/** Logs each request when it is over. Its id goes to the client too. */
export function accessLog(logger: WorkerAsyncLogger): RequestHandler {
  const log = logger.child({ service: 'catalogue' });
  return (req, res, next) => {
    const started = performance.now();
    const given = req.get('x-request-id') ?? '';
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    res.set('X-Request-Id', requestId);
    const { method, path, ip } = req;
    res.once('close', () => {
      const duration = Math.round((performance.now() - started) * 1000) / 1000;
      log.info('request', { requestId, method, path, ip, status: statusOf(res), duration });
    });
    next();
  };
}
