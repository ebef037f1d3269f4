import type { Database } from '../database/database';
import { Health, type Lifecycle } from '../lib/utilities/operations/operations';

/** What /livez, /readyz and /startupz go by. */
export function healthOf(lifecycle: Lifecycle, database: Database, starting: () => boolean): Health {
  const health = new Health({ lifecycle, description: 'catalogue' });
  health.addCheck('threads', {
    kind: 'startup',
    check: () => {
      if (starting()) throw new Error('other threads of the service do not listen yet');
    },
  });
  health.addCheck('database:connections', {
    cache: 0,
    check: () => {
      if (database.isAway) throw new Error('the database is away');
      const { total, idle } = database.pool.getStats();
      return { observedValue: total - idle, observedUnit: 'connections in use' };
    },
  });
  return health;
}
