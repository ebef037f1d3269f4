import type { RequestHandler, Response } from 'express';
import type { Scaling } from '../lib/utilities/operations/operations';
import type { TimerManager } from '../lib/utilities/performance/timerManager';
import type { RequestMetrics } from '../services/metrics';
import { HttpError, sendError } from './errors';

/** A request whose client left before the answer, as proxies count it. */
const CLIENT_LEFT = 499;

export const securityHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'Content-Security-Policy':
      "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
  });
  next();
};

/** Tells which thread has answered. */
export function threadHeader(thread: number): RequestHandler {
  return (_req, res, next) => {
    res.set('X-Thread', String(thread));
    next();
  };
}

/** The status of a response that is over. */
export function statusOf(res: Response): number {
  return res.writableFinished ? res.statusCode : CLIENT_LEFT;
}

export function measure(metrics: RequestMetrics, scaling: Scaling | undefined): RequestHandler {
  return (_req, res, next) => {
    const started = performance.now();
    metrics.started();
    scaling?.record();
    res.once('close', () => {
      metrics.finished(performance.now() - started, statusOf(res));
    });
    next();
  };
}

/** Answers 504 after `timeout` milliseconds; what the handler sends later goes nowhere. */
export function requestTimeout(timers: TimerManager, timeout: number): RequestHandler {
  return (_req, res, next) => {
    const timer = timers.setTimeout(() => {
      if (!res.headersSent) sendError(res, new HttpError(504, 'TIMEOUT', `No answer within ${timeout} ms`));
    }, timeout);
    res.once('close', () => timers.clearTimeout(timer));
    next();
  };
}
