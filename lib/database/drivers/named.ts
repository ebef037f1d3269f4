import type { DriverName } from '../config.js';
import type { Driver } from '../driver.js';
import { mysqlDriver } from './mysql2.js';
import { pgDriver } from './pg.js';
import { sqliteDriver } from './sqlite.js';

const DRIVERS: Record<DriverName, () => Driver> = {
  pg: pgDriver,
  mysql2: mysqlDriver,
  sqlite: sqliteDriver,
};

/** A driver by its name. Its client is loaded by the first connection. */
export const driverNamed = (name: DriverName): Driver => DRIVERS[name]();
