import { Client } from 'pg';
import { useServer } from './server';
import { createPostgres, type ServerProcess, type Settings } from './servers';

/** A PostgreSQL of their own for the tests of a file, or of a describe block; `settings` are those of postgresql.conf. */
export const usePostgres = (settings?: Settings) => useServer(createPostgres(settings));

/** The rows of one query on a connection of its own, beside whatever pool is tested. */
export async function ask<Row = any>(
  server: ServerProcess,
  sql: string,
  params: unknown[] = [],
): Promise<Row[]> {
  const { username: user, ...rest } = server.config;
  const client = new Client({ user, ...rest });
  await client.connect();
  try {
    return (await client.query(sql, params)).rows;
  } finally {
    await client.end();
  }
}

/** How many sessions of clients the server has, but for the one that asks. */
export async function sessions(server: ServerProcess): Promise<number> {
  const sql =
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
  const [row] = await ask<{ n: number }>(server, sql);
  return row!.n;
}
