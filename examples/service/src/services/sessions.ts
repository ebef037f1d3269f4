import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { User } from '../data/users';
import { BoundedLRUCache, CircularBuffer } from '../lib/utilities/performance/boundedCache';

export interface Session {
  id: string;
  user: { name: string; role: User['role'] };
  /** ISO 8601. */
  since: string;
  /** Ids of the last products looked at, oldest first. */
  viewed: CircularBuffer<string>;
}

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/** Milliseconds without a request after which a session is over. */
export const SESSION_LIFETIME = 30 * 60_000;
const MAX_SESSIONS = 10_000;
const VIEWED_PRODUCTS = 10;

/** Login, logout and the sessions between; when there are too many, the least recently used one ends. */
export class Sessions {
  readonly cache = new BoundedLRUCache<string, Session>(MAX_SESSIONS, SESSION_LIFETIME);
  readonly #users: Map<string, User>;

  constructor(users: readonly User[]) {
    this.#users = new Map(users.map((user) => [user.name, user]));
  }

  /** A new session, or undefined if the name or the password is wrong; both take the same time. */
  async login(name: string, password: string): Promise<Session | undefined> {
    const user = this.#users.get(name);
    const salt = user ? Buffer.from(user.salt, 'base64url') : randomBytes(16);
    const hash = await derive(password.normalize('NFKC'), salt, 32);
    if (!user || !timingSafeEqual(hash, Buffer.from(user.passwordHash, 'base64url'))) return undefined;
    const session: Session = {
      id: randomBytes(32).toString('base64url'),
      user: { name: user.name, role: user.role },
      since: new Date().toISOString(),
      viewed: new CircularBuffer<string>(VIEWED_PRODUCTS),
    };
    this.cache.set(session.id, session);
    return session;
  }

  /** The session with this id; using it gives it its full lifetime again. */
  find(id: string): Session | undefined {
    const session = this.cache.get(id);
    if (session !== undefined) this.cache.set(id, session);
    return session;
  }

  logout(id: string): boolean {
    return this.cache.delete(id);
  }

  /** Drops expired sessions; returns how many are left. */
  sweep(): number {
    this.cache.prune();
    return this.cache.size;
  }

  destroy(): void {
    this.cache.destroy();
  }
}

/** Notes that a product was looked at; the same one again moves to the end. */
export function noteViewed(session: Session, productId: string): void {
  const others = session.viewed.getAll().filter((id) => id !== productId);
  session.viewed.clear();
  for (const id of others) session.viewed.push(id);
  session.viewed.push(productId);
}
