import { TimeoutError } from 'keelson';
import { certificate, certificateFiles } from './support/certificate';
import { usePools } from './support/databases';
import { ask, usePostgres } from './support/postgres';

const files = certificateFiles();
const server = usePostgres({ ssl: 'on', ssl_cert_file: files.cert, ssl_key_file: files.key });
afterAll(files.remove);
const make = usePools();

test.each([
  ['by name', 'localhost', { ca: certificate }],
  ['by address', '127.0.0.1', { ca: certificate }],
  ['unchecked', '127.0.0.1', { rejectUnauthorized: false }],
])('over TLS, %s, a statement is stopped at the server too', async (_, host, ssl) => {
  const pool = make({ ...server.config, host, ssl, maxConnections: 1 });
  const sql = 'SELECT ssl, pid FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
  const { rows } = await pool.run(sql);
  expect(rows[0].ssl).toBe(true);
  expect((await pool.query('SELECT pg_sleep(60)', [], { timeout: 100 })).error).toBeInstanceOf(TimeoutError);
  expect((await pool.run(sql)).rows).toEqual(rows);
  expect(
    await ask(server, `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleep(60)'`),
  ).toEqual([]);
});

test('a certificate that is not trusted is refused', async () => {
  const pool = make({ ...server.config, ssl: true, connectionTimeout: 300 });
  const { error } = await pool.query('SELECT 1');
  expect((error as any).cause.cause).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});
