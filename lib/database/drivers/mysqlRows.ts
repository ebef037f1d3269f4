/** `INSERT … VALUES (?, ?)`, with nothing but placeholders between the last parentheses and none before them. */
const INSERT = /^(\s*(?:insert|replace)\b[^?;]*\bvalues\s*)(\([?,\s]+\))(\s*;?\s*)$/i;

type Row = readonly unknown[];

/** One statement for many rows. */
export interface Joined {
  sql: string;
  params: unknown[];
}

/**
 * Joins the rows of an insert into one statement, which takes MySQL one round trip instead of one for each, as its
 * protocol has no pipelines. Undefined for any other statement, and for rows that do not fit it.
 */
export function joined(sql: string, rows: readonly Row[]): Joined | undefined {
  const [, head, tuple, tail] = INSERT.exec(sql) ?? [];
  if (tuple === undefined || rows.length < 2) return undefined;
  const columns = tuple.split('?').length - 1;
  // A parameter that is an array would be written as several values.
  if (!rows.every((row) => row.length === columns && !row.some(Array.isArray))) return undefined;
  return { sql: `${head}${rows.map(() => tuple).join(', ')}${tail}`, params: rows.flat() };
}
