import { sendJson } from '../router/respond.js';
import type { HttpSettings } from './httpOptions.js';
import type { Visit, Visits } from './visits.js';

/** Middleware of Express and Connect; a listener of a bare server can call it too. */
export type RateLimitMiddleware = (req: any, res: any, next: any) => Promise<any>;

/** Lets requests go on by `next`, or answers them. */
export function connectMiddleware(visits: Visits, settings: HttpSettings): RateLimitMiddleware {
  return async (req, res, next) => {
    let visit: Visit | undefined;
    try {
      visit = await visits.admit(req);
    } catch (error) {
      next(error);
      return;
    }
    if (visit !== undefined) {
      visits.setHeaders(visit, res);
      visits.follow(visit, req, res, res);
      if (!visit.result.allowed) {
        await deny(visits, settings, visit, req, res, next);
        return;
      }
    }
    next();
  };
}

async function deny(
  visits: Visits,
  settings: HttpSettings,
  visit: Visit,
  req: any,
  res: any,
  next: (error: unknown) => void,
): Promise<void> {
  if (await visits.deniedAndAnswered(visit, req, res)) return;
  const { handler, statusCode } = settings;
  if (handler === undefined) {
    sendJson(res, statusCode, visits.body(visit));
    return;
  }
  try {
    await handler(req, res, next, visit.result);
  } catch (error) {
    next(error);
  }
}
