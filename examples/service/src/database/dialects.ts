/** Columns by name. */
export type Columns = Readonly<Record<string, 'text' | 'bigint'>>;

/** Values by column; those that are not there are null. */
export type Row = Readonly<Record<string, unknown>>;

/** What the databases do not have in common. */
export interface Dialect {
  /** Makes what is not there yet. Run in one transaction. */
  schema: readonly string[];
  /** What `parameters` makes of rows, as a table `given` with these columns. */
  given(columns: Columns): string;
  /** Rows as the parameters of statements that have such a table. */
  parameters(rows: readonly Row[], columns: Columns): unknown[][];
  /** Statements that are sent at once. */
  statements: number;
  /**
   * A condition that holds, for those that write many rows. Two that do so at once must not wait for each other's
   * rows crosswise.
   */
  alone: string;
}

/** One table for all that suppliers have sent: those of the articles that have a price are the products. */
const TABLE = (position: string) => `
  CREATE TABLE IF NOT EXISTS articles (
    position ${position},
    key TEXT NOT NULL UNIQUE,
    document TEXT,
    imports BIGINT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT,
    category TEXT,
    price BIGINT,
    stock BIGINT CHECK (stock >= 0),
    description TEXT
  )`;

/** SQLite locks the whole file for who writes. It takes rows one by one: nothing is faster where there is no network. */
export const sqlite: Dialect = {
  schema: [TABLE('INTEGER PRIMARY KEY')],
  given(columns) {
    const values = Object.keys(columns).map((name, index) => `$${index + 1} AS ${name}`);
    return `(SELECT ${values.join(', ')}) AS given`;
  },
  parameters: (rows, columns) => rows.map((row) => Object.keys(columns).map((name) => row[name] ?? null)),
  statements: 100,
  alone: 'true',
};

/** The channel on which instances tell each other of changed products: `version key`. */
export const CHANNEL = 'catalogue';

/** Until the end of the transaction; any number will do that nobody else uses in this database. */
const LOCK = 'pg_advisory_xact_lock(7283650182)';

export const postgres: Dialect = {
  schema: [
    // CREATE … IF NOT EXISTS alone fails when two instances start at once.
    `SELECT ${LOCK}`,
    TABLE('BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY'),
    `CREATE OR REPLACE FUNCTION tell_of_article() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('${CHANNEL}', NEW.version || ' ' || NEW.key);
        RETURN NULL;
      END $$`,
    `CREATE OR REPLACE TRIGGER tell_of_article AFTER INSERT OR UPDATE ON articles
      FOR EACH ROW WHEN (NEW.price IS NOT NULL) EXECUTE FUNCTION tell_of_article()`,
  ],
  given(columns) {
    const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
    return `json_to_recordset($1) AS given (${typed.join(', ')})`;
  },
  parameters: (rows) => [[JSON.stringify(rows)]],
  statements: 8,
  alone: `${LOCK} IS NOT NULL`,
};
