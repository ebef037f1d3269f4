import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import { HttpError } from '../http/errors';
import { body, memberText } from '../http/input';
import { readSmallJson } from '../http/json';
import { clearSessionCookie, requireSession, setSessionCookie } from '../http/session';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import type { Session } from '../services/sessions';

// The id stays in the cookie, out of reach of scripts.
const shown = ({ user, since }: Session) => ({ user, since });

/** Login, logout and what belongs to a session. */
export function addSessionRoutes(
  router: OptimizedRouter,
  { sessions, catalogue }: Context,
  limit: RequestHandler,
): void {
  router.addRoute('/api/session', {
    id: 'login',
    method: 'POST',
    middleware: [limit, readSmallJson],
    handler: async (req: Request, res: Response) => {
      const members = body(req, 'name', 'password');
      const name = memberText(members, 'name', 60);
      const password = memberText(members, 'password', 200);
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
    handler: (req: Request, res: Response) => {
      const { viewed } = requireSession(req, sessions);
      const items = viewed
        .getAll()
        .reverse()
        .map((id) => catalogue.get(id));
      res.json({ items: items.filter((product) => product !== undefined) });
    },
  });
}
