import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const RESULTS = new URL('../results/', import.meta.url);
const REPORT = new URL('../RESULTS.md', import.meta.url);

const fileOf = (major) => new URL(`node-${major}.json`, RESULTS);

/** What is stored for all Node.js versions: `{ major, benchmarks: { name: result } }` each. */
export function readAll() {
  mkdirSync(RESULTS, { recursive: true });
  return readdirSync(RESULTS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, RESULTS), 'utf8')));
}

/** Puts new results in the place of the old ones of the same name; keeps `order`, and drops what is not in it. */
export function merge(major, results, order) {
  const stored = readAll().find((file) => file.major === major)?.benchmarks ?? {};
  const all = { ...stored, ...Object.fromEntries(results.map((result) => [result.name, result])) };
  const benchmarks = Object.fromEntries(order.filter((name) => name in all).map((name) => [name, all[name]]));
  writeFileSync(fileOf(major), `${JSON.stringify({ major, benchmarks }, null, 1)}\n`);
}

export function writeReport(text) {
  writeFileSync(REPORT, text);
}
