import { EventEmitter } from 'node:events';

/** A client of pg that is there at once and has no server, for pg-pool, which pools nothing else. */
class InstantClient extends EventEmitter {
  _queryable = true;

  connect(done) {
    process.nextTick(done);
  }

  end(done) {
    process.nextTick(done);
  }
}

const create = async () => ({});
const destroy = async () => {};

/**
 * Pools of `size` objects that cost nothing, as they come: `acquire()` resolves to what `release()` takes. Each bounds
 * how long an acquire waits if that is its default, as it is with keelson (10 s) and tarn (30 s).
 */
export const objectPools = {
  async keelson(size) {
    const { ConnectionPool } = await import('keelson');
    const pool = new ConnectionPool({ create, destroy }, { min: size, max: size });
    return { acquire: () => pool.acquire(), release: (lease) => lease.release() };
  },
  async 'generic-pool'(size) {
    const { default: genericPool } = await import('generic-pool');
    const pool = genericPool.createPool({ create, destroy }, { min: size, max: size });
    return { acquire: () => pool.acquire(), release: (object) => pool.release(object) };
  },
  async tarn(size) {
    const { Pool } = await import('tarn');
    const pool = new Pool({ create, destroy, min: size, max: size });
    return { acquire: () => pool.acquire().promise, release: (object) => pool.release(object) };
  },
  async 'pg-pool'(size) {
    const { default: Pool } = await import('pg-pool');
    const pool = new Pool({ min: size, max: size, Client: InstantClient });
    return { acquire: () => pool.connect(), release: (client) => client.release() };
  },
};

/** Names of pg's for our configuration of a server. */
const forPg = ({ username, ...rest }) => ({ user: username, ...rest });

/** What the pools that know nothing of pg do with its clients: as knex does it with tarn's. */
async function pgFactory(server, patience) {
  const { default: pg } = await import('pg');
  const broken = new WeakSet();
  return {
    broken,
    async create() {
      const client = new pg.Client({ ...forPg(server), connectionTimeoutMillis: patience });
      client.on('error', () => broken.add(client));
      client.on('end', () => broken.add(client));
      await client.connect();
      return client;
    },
    destroy: (client) => client.end(),
  };
}

/** A query of a pool that lends clients; as pg-pool has it, a client whose query failed is not used again. */
const lending = ({ acquire, release, broken }) =>
  async function query(sql, params) {
    const client = await acquire();
    try {
      return await client.query(sql, params);
    } catch (error) {
      broken.add(client);
      throw error;
    } finally {
      release(client);
    }
  };

/**
 * Pools of up to `size` connections of pg to a PostgreSQL, and at least `min`, if one is given, where a pool can be told
 * that. `query` resolves to pg's result or rejects; nobody waits for a connection for longer than `patience`, in
 * milliseconds; `warmUp` is what a pool has for opening connections ahead.
 */
export const databasePools = {
  async keelson({ server, size, min, patience }) {
    const { DatabaseConnectionPool } = await import('keelson');
    const config = { ...server, minConnections: min, maxConnections: size, connectionTimeout: patience };
    const pool = new DatabaseConnectionPool({ ...config, pool: { acquireTimeout: patience } });
    return {
      query: (sql, params) => pool.run(sql, params),
      warmUp: () => pool.ready(),
      close: () => pool.close(),
    };
  },
  async 'pg-pool'({ server, size, min, patience }) {
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({ ...forPg(server), min, max: size, connectionTimeoutMillis: patience });
    // Of idle clients; without a listener the process would end.
    pool.on('error', () => {});
    return { query: (sql, params) => pool.query(sql, params), warmUp() {}, close: () => pool.end() };
  },
  async 'tarn + pg'({ server, size, min, patience }) {
    const { Pool } = await import('tarn');
    const { broken, create, destroy } = await pgFactory(server, patience);
    const pool = new Pool({
      create,
      destroy,
      validate: (client) => !broken.has(client),
      min: min ?? 0,
      max: size,
      acquireTimeoutMillis: patience,
      propagateCreateError: true,
    });
    const acquire = () => pool.acquire().promise;
    const query = lending({ acquire, release: (client) => pool.release(client), broken });
    return { query, warmUp() {}, close: () => pool.destroy() };
  },
  async 'generic-pool + pg'({ server, size, min, patience }) {
    const { default: genericPool } = await import('generic-pool');
    const { broken, create, destroy } = await pgFactory(server, patience);
    const validate = async (client) => !broken.has(client);
    const options = { min, max: size, testOnBorrow: true, acquireTimeoutMillis: patience };
    const pool = genericPool.createPool({ create, destroy, validate }, options);
    pool.on('factoryCreateError', () => {});
    const query = lending({
      acquire: () => pool.acquire(),
      release: (client) => pool.release(client),
      broken,
    });
    const close = async () => {
      await pool.drain();
      await pool.clear();
    };
    return { query, warmUp: () => pool.ready(), close };
  },
};
