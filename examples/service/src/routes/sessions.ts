import { Router } from 'express';
import type { Context } from '../context';
import { HttpError } from '../http/errors';
import { body, memberText } from '../http/input';
import { clearSessionCookie, requireSession, setSessionCookie } from '../http/session';
import type { Session } from '../services/sessions';

// The id stays in the cookie, out of reach of scripts.
const shown = ({ user, since }: Session) => ({ user, since });

export function sessionRoutes({ sessions, catalogue }: Context): Router {
  const router = Router();

  router.post('/session', async (req, res) => {
    const members = body(req, 'name', 'password');
    const name = memberText(members, 'name', 60);
    const password = memberText(members, 'password', 200);
    const session = await sessions.login(name, password);
    if (res.headersSent) return;
    if (session === undefined) throw new HttpError(401, 'WRONG_CREDENTIALS', 'Name or password is wrong');
    setSessionCookie(req, res, session);
    res.status(201).json(shown(session));
  });

  router.get('/session', (req, res) => {
    res.json(shown(requireSession(req, sessions)));
  });

  router.delete('/session', (req, res) => {
    sessions.logout(requireSession(req, sessions).id);
    clearSessionCookie(res);
    res.status(204).end();
  });

  router.get('/recently-viewed', (req, res) => {
    const { viewed } = requireSession(req, sessions);
    const items = viewed
      .getAll()
      .reverse()
      .map((id) => catalogue.get(id));
    res.json({ items: items.filter((product) => product !== undefined) });
  });

  return router;
}
