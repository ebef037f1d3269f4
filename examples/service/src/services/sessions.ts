import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { User } from '../data/users';
import type { SharedCache } from '../lib/utilities/performance/sharedCache';
import { cacheStats } from './cacheStats';

/** A session as it is stored; what is changed of it is stored anew. */
export interface Session {
  id: string;
  user: { name: string; role: User['role'] };
  /** ISO 8601. */
  since: string;
  /** Ids of the last products looked at, oldest first. */
  viewed: readonly string[];
  /** When it is over, in milliseconds since 1970. */
  expires: number;
}

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/** Milliseconds without a request after which a session is over. */
export const SESSION_LIFETIME = 30 * 60_000;
export const MAX_SESSIONS = 10_000;
const VIEWED_PRODUCTS = 10;

/** Login, logout and the sessions between, which are of all threads. */
export class Sessions {
  readonly #users: Map<string, User>;

  constructor(
    users: readonly User[],
    readonly cache: SharedCache<Session>,
  ) {
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
      viewed: [],
      expires: Date.now() + SESSION_LIFETIME,
    };
    this.cache.set(session.id, session);
    return session;
  }

  /** The session with this id; using it gives it its full lifetime again. */
  find(id: string): Session | undefined {
    return this.#change(id, (session) => session);
  }

  /** Notes that a product was looked at; the same one again moves to the end. */
  noteViewed(id: string, productId: string): void {
    this.#change(id, ({ viewed, ...session }) => {
      const others = viewed.filter((other) => other !== productId);
      return { ...session, viewed: [...others, productId].slice(-VIEWED_PRODUCTS) };
    });
  }

  /** Stores a session anew, unless another thread has ended it meanwhile. */
  #change(id: string, change: (session: Session) => Session): Session | undefined {
    for (;;) {
      const session = this.cache.get(id);
      if (session === undefined || session.expires <= Date.now()) return undefined;
      const changed = { ...change(session), expires: Date.now() + SESSION_LIFETIME };
      if (this.cache.compareAndSet(id, session, changed)) return changed;
    }
  }

  logout(id: string): boolean {
    return this.cache.delete(id);
  }

  /** Drops expired sessions; returns how many are left. */
  sweep(): number {
    for (const [id, { expires }] of this.cache) if (expires <= Date.now()) this.cache.delete(id);
    return this.cache.size;
  }

  getStats() {
    return cacheStats(this.cache, MAX_SESSIONS);
  }
}
