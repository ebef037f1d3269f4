import type { Request, Response } from 'express';
import type { Session, Sessions } from '../services/sessions';
import { HttpError } from './errors';
import { body, memberText } from './input';

const COOKIE = 'sid';

/** Who wants to log in, of a body that was read; a 400 if it does not say. */
export function credentials(req: Request): { name: string; password: string } {
  const members = body(req, 'name', 'password');
  return { name: memberText(members, 'name', 60), password: memberText(members, 'password', 200) };
}

function sessionId(req: Request): string | undefined {
  const pairs = (req.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

/** The session that the request's cookie names, if it is alive. */
export function currentSession(req: Request, sessions: Sessions): Session | undefined {
  const id = sessionId(req);
  return id === undefined ? undefined : sessions.find(id);
}

export function requireSession(req: Request, sessions: Sessions): Session {
  const session = currentSession(req, sessions);
  if (session === undefined) throw new HttpError(401, 'NOT_LOGGED_IN', 'Log in first');
  return session;
}

export function requireAdmin(req: Request, sessions: Sessions): Session {
  const session = requireSession(req, sessions);
  if (session.user.role !== 'admin') throw new HttpError(403, 'NOT_ALLOWED', 'Only an admin may do this');
  return session;
}

// Strict: no other site can make a browser send it, which is what keeps changes from being forged.
export function setSessionCookie(req: Request, res: Response, session: Session): void {
  res.cookie(COOKIE, session.id, { httpOnly: true, sameSite: 'strict', secure: req.secure, path: '/' });
}

export function clearSessionCookie(res: Response): void {
  res.clearCookie(COOKIE, { httpOnly: true, sameSite: 'strict', path: '/' });
}
