import { usePostgres } from './support/postgres';
import type { Outcome } from './support/process';
import { compile, expectOutcome, PATIENCE, type Programs, runPrograms, sourcesOf } from './support/programs';
import { useRedis } from './support/redis';
import { type Snippet, snippets } from './support/snippets';

const programs = snippets.filter(({ server }) => server !== undefined);
const redis = useRedis();
const postgres = usePostgres();

let compiled: Programs;
let outcomes: Map<Snippet, Promise<Outcome>>;

/** Addresses by the names that such servers have in the environment of a service. */
function addresses(): Record<string, string> {
  const { host, port, database, username, password } = postgres.config;
  return {
    REDIS_URL: `redis://${redis.config.host}:${redis.config.port}`,
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: username,
    PGPASSWORD: password,
  };
}

beforeAll(async () => {
  compiled = await compile(sourcesOf(programs));
  outcomes = runPrograms(programs, compiled, addresses());
}, PATIENCE);
afterAll(() => compiled.remove());

test.each(programs)('$place prints what it says', async (snippet) => {
  expectOutcome(snippet, await outcomes.get(snippet)!);
});
