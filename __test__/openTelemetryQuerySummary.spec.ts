import fc from 'fast-check';
import { summaryOf } from '../dist/openTelemetry/querySummary';

// The first ones are the examples of OpenTelemetry's conventions, docs/db/database-spans.md.
test.each([
  ['SELECT * FROM songs', 'SELECT songs'],
  [
    'INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE id = ?',
    'INSERT shipping_details SELECT orders',
  ],
  ['SELECT * FROM songs, artists WHERE songs.artist_id == artists.id', 'SELECT songs artists'],
  [
    'SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.customer_id)',
    'SELECT SELECT orders customers',
  ],
  ['SELECT * FROM "song list", \'artists\'', 'SELECT "song list"'],
  [
    'select a from public."Items" i, b as x, c where f(d, e) in (1, 2) order by g, h',
    'select public."Items" b c',
  ],
  [
    'SELECT * FROM `a`.`b` JOIN [c d] ON x = y LEFT JOIN LATERAL (SELECT 1 FROM e) z ON true',
    'SELECT `a`.`b` [c d] SELECT e',
  ],
  [
    'WITH x AS (SELECT a FROM t), y AS (DELETE FROM u RETURNING *) SELECT * FROM x',
    'SELECT t DELETE u SELECT x',
  ],
  ['UPDATE ONLY items SET a = 1, b = 2 FROM other WHERE items.id = other.id', 'UPDATE items other'],
  ['INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = 3', 'INSERT t'],
  ['INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = 1', 'INSERT t'],
  ['INSERT IGNORE INTO t VALUES (1)', 'INSERT t'],
  ['REPLACE INTO t VALUES (?)', 'REPLACE t'],
  ['SELECT * FROM t FOR UPDATE OF u', 'SELECT t'],
  ['SELECT extract(year FROM at), substring(name from 2), trim(both from x) FROM t', 'SELECT t'],
  ['SELECT * FROM t WHERE a IS DISTINCT FROM b', 'SELECT t'],
  ['SELECT replace(a, b, c) FROM t', 'SELECT t'],
  [
    'MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN DELETE',
    'MERGE a',
  ],
  ['DELETE FROM a USING b', 'DELETE a'],
  ['TRUNCATE TABLE a', 'TRUNCATE a'],
  ['CREATE TABLE IF NOT EXISTS t (a int REFERENCES u ON DELETE CASCADE)', 'CREATE TABLE t'],
  ['CREATE UNIQUE INDEX i ON t (a)', 'CREATE INDEX i'],
  ['DROP VIEW v', 'DROP VIEW v'],
  ['CALL refresh(1, 2)', 'CALL refresh'],
  ['START TRANSACTION', 'START TRANSACTION'],
  ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN'],
  ['ROLLBACK TO SAVEPOINT keelson_1', 'ROLLBACK'],
  ['PRAGMA user_version', 'PRAGMA'],
  ['DO $do$ BEGIN DELETE FROM secret; END $do$', 'DO'],
  ['-- FROM a\n/* FROM b */ SELECT 1 FROM c; DELETE FROM d', 'SELECT c DELETE d'],
  ["SELECT * FROM t WHERE a = 'it''s FROM b' AND c = 1", 'SELECT t'],
  ["SELECT * FROM t WHERE a = 'x\\' FROM secret JOIN more", 'SELECT t'],
  ["SELECT 'unfinished FROM secret", 'SELECT'],
  ['', ''],
  ['123 + (', ''],
])('%s', (sql, summary) => {
  expect(summaryOf(sql)).toBe(summary);
  // Remembered by then.
  expect(summaryOf(sql)).toBe(summary);
});

test('it has 255 characters at most, and cuts no name', () => {
  const names = Array.from({ length: 100 }, (_, index) => `table_${index}`);
  const summary = summaryOf(`SELECT * FROM ${names.join(', ')}`);
  expect(summary.length).toBeLessThanOrEqual(255);
  expect(summary).toBe(`SELECT ${names.slice(0, summary.split(' ').length - 1).join(' ')}`);
  expect(summary.length).toBeGreaterThan(240);
});

test('no value of a string or number is ever in it', () => {
  const value = fc.string({ unit: 'binary', maxLength: 50 }).map((text) => `FROM secret ${text} INTO secret`);
  const statement = (text: string): string =>
    `SELECT * FROM t WHERE a = '${text.replaceAll("'", "''")}' AND b = 12345 AND c IN ('x', '${text.replaceAll("'", "''")}')`;
  fc.assert(
    fc.property(value, (text) => {
      expect(summaryOf(statement(text))).toBe('SELECT t');
    }),
  );
});

test('any text at all has one, in no time', () => {
  const words = fc.constantFrom(
    'SELECT',
    'FROM',
    '(',
    ')',
    ',',
    ';',
    "'",
    '"',
    '`',
    '[',
    '$$',
    '--',
    '/*',
    '\\',
    '.',
    'a',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 400 }), (parts) => {
      expect(summaryOf(parts.join('')).length).toBeLessThanOrEqual(255);
    }),
  );
  for (const text of ['"', '[', '`', "'", '/*', '$a$', '"a".', '(']) {
    const began = performance.now();
    summaryOf(text.repeat(1_000_000));
    expect(performance.now() - began).toBeLessThan(1_000);
  }
});
