import type { DriverName, Settings } from '../database/config.js';
import type { Attributes } from './api.js';

/** What the conventions call the database of a driver, and its usual port. */
const SYSTEMS: Record<DriverName, { name: string; port?: number }> = {
  pg: { name: 'postgresql', port: 5432 },
  mysql2: { name: 'mysql', port: 3306 },
  sqlite: { name: 'sqlite' },
};
/** Any other one. */
const OTHER = { name: 'other_sql', port: undefined };

/** What spans of statements say of their database, as far as it is configured. */
export function databaseTarget({ connect, driver, create }: Settings): Attributes {
  const { host, port, database } = connect;
  const system = typeof driver === 'string' ? SYSTEMS[driver] : OTHER;
  const target: Attributes = { 'db.system.name': system.name };
  if (database !== '') target['db.namespace'] = database;
  // A factory of the service's own is not told a host; a file has none.
  if (create !== undefined || driver === 'sqlite') return target;
  target['server.address'] = host;
  if (port !== undefined && port !== system.port) target['server.port'] = port;
  return target;
}
