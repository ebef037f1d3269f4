import type { ConnectionFactory } from '../pool/options.js';
import type { CustomConnection, Settings } from './config.js';
import { Deadline } from './deadline.js';
import type { Driver, DriverConnection } from './driver.js';
import { driverNamed } from './drivers/named.js';
import { started } from './loans.js';

/** The driver that a configuration asks for. */
function driverOf({ driver, create }: Settings): Driver {
  if (typeof driver === 'string') return driverNamed(driver);
  return driver ?? { name: 'create', connect: (_settings, context) => create!(context) };
}

/** Throws unless a factory of the user's gave what can be used. */
function checked(connection: CustomConnection, name: string): DriverConnection {
  if (typeof connection?.query === 'function' && typeof connection.close === 'function') return connection;
  throw new TypeError(`"${name}" must give an object with the functions "query" and "close"`);
}

/** Throws if the server takes no writes, where it has to. */
async function checkRole(connection: DriverConnection, { role }: Settings): Promise<void> {
  if (role === 'primary' && (await connection.isReadOnly?.()) === true) {
    throw new Error('The server takes no writes, and "role" asks for one that does');
  }
}

/** What the pool asks of connections, by means of a driver. */
export function connectionFactory(settings: Settings): {
  factory: ConnectionFactory<DriverConnection>;
  driver: Driver;
} {
  const driver = driverOf(settings);
  const factory: ConnectionFactory<DriverConnection> = {
    create: async (context) => {
      const connection = checked(await driver.connect(settings.connect, context), driver.name);
      try {
        const forever = new Deadline('The role check', Number.POSITIVE_INFINITY, context.signal);
        await forever.guard(checkRole(connection, settings));
        return connection;
      } catch (error) {
        await Promise.allSettled([started(() => connection.close())]);
        throw error;
      }
    },
    destroy: async (connection) => {
      await connection.close();
    },
    alive: (connection) => connection.alive?.() !== false,
    validate: async (connection) => {
      if (settings.role === 'primary' && connection.isReadOnly !== undefined)
        return !(await connection.isReadOnly());
      await connection.ping?.();
      return true;
    },
    reset: (connection) => connection.reset?.(),
    ref: (connection) => connection.ref?.(),
    unref: (connection) => connection.unref?.(),
  };
  return { factory, driver };
}
