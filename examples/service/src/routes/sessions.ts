import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import { HttpError } from '../http/errors';
import { readSmallJson } from '../http/json';
import { clearSessionCookie, credentials, requireSession, setSessionCookie } from '../http/session';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import type { Session } from '../services/sessions';

// The id stays in the cookie, out of reach of scripts.
const shown = ({ user, since }: Session) => ({ user, since });

// Before it is counted: what is refused anyway is no guess.
const wellFormed: RequestHandler = (req, _res, next) => {
  credentials(req);
  next();
};

/** Login, logout and what belongs to a session. */
export function addSessionRoutes(
  router: OptimizedRouter,
  { sessions, catalogue, limits }: Context,
  limit: RequestHandler,
): void {
  router.addRoute('/api/session', {
    id: 'login',
    method: 'POST',
    middleware: [limit, readSmallJson, wellFormed, limits.ofLogins],
    handler: async (req: Request, res: Response) => {
      const { name, password } = credentials(req);
      const session = await sessions.login(name, password);
      if (res.headersSent) return;
      if (session === undefined) throw new HttpError(401, 'WRONG_CREDENTIALS', 'Name or password is wrong');
      setSessionCookie(req, res, session);
      res.status(201).json(shown(session));
    },
  });

  router.addRoute('/api/session', {
    id: 'who am I',
    method: 'GET',
    middleware: [limit],
    handler: (req: Request, res: Response) => {
      res.json(shown(requireSession(req, sessions)));
    },
  });

  router.addRoute('/api/session', {
    id: 'logout',
    method: 'DELETE',
    middleware: [limit],
    handler: (req: Request, res: Response) => {
      sessions.logout(requireSession(req, sessions).id);
      clearSessionCookie(res);
      res.status(204).end();
    },
  });

  router.addRoute('/api/recently-viewed', {
    id: 'recently viewed',
    method: 'GET',
    middleware: [limit],
    handler: async (req: Request, res: Response) => {
      const { viewed } = requireSession(req, sessions);
      const items = await Promise.all(viewed.toReversed().map((id) => catalogue.view(id)));
      if (res.headersSent) return;
      res.json({ items: items.filter((product) => product !== undefined) });
    },
  });
}
