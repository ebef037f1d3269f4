// Writes docs/configuration.md from the settings themselves; with --check only says whether it is as it would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './lib.mjs';

const require = createRequire(import.meta.url);
const { entriesOf } = require('../dist/config/entries.js');
const { SETTINGS } = require('../dist/config/schema.js');

const HEAD = `# Configuration

Each setting is the default of the option of that name. An option that a constructor is given goes before
\`configure({ pool: { max: 20 } })\`, that before the environment variable, that before the profile, and that before what is here.
Times are in milliseconds, and may be given as \`250ms\`, \`5s\`, \`2m\`, \`1h\` or \`1d\` in a variable; sizes are in bytes, or as
\`64MiB\` or \`10KB\`; booleans may be \`1\` and \`0\`. An empty variable says nothing. The profile is \`KEELSON_PROFILE\`, or \`NODE_ENV\`
where that is \`development\`, \`production\` or \`test\`.

This file is written by \`node scripts/configuration.mjs\`.
`;

/** Of what this machine has no say in. */
const TOLD = { 'json.maxWorkers': 'half the cores, at least 2' };

function presetOf({ path, value, unit }) {
  const { profiles } = SETTINGS.get(path);
  const text = (one) => (typeof one === 'number' ? numberOf(one, unit) : one);
  const others = Object.entries(profiles).map(([name, one]) => `; ${name}: ${text(one)}`);
  return (TOLD[path] ?? text(value)) + others.join('');
}

function numberOf(value, unit) {
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  return unit === undefined ? value.toLocaleString('en') : `${value.toLocaleString('en')} ${unit}`;
}

function section(utility, entries) {
  const rows = entries.map((entry) => {
    const { path, variable, description, accepted } = entry;
    return `| \`${path}\` | \`${variable}\` | ${description}: ${accepted} | ${presetOf(entry)} |`;
  });
  return [
    `## ${utility}`,
    '',
    '| setting | variable | what it is | default |',
    '| ------- | -------- | ---------- | ------- |',
    ...rows,
    '',
  ].join('\n');
}

function page() {
  const { entries } = entriesOf({ configured: new Map(), environment: {} });
  const utilities = new Set(entries.slice(1).map(({ path }) => path.split('.')[0]));
  const sections = [...utilities].map((utility) =>
    section(
      utility,
      entries.filter(({ path }) => path.startsWith(`${utility}.`)),
    ),
  );
  return [HEAD, ...sections].join('\n');
}

const file = join(root, 'docs', 'configuration.md');
if (!process.argv.includes('--check')) writeFileSync(file, page());
else if (readFileSync(file, 'utf8') !== page()) {
  console.error('docs/configuration.md is not as the settings are: run node scripts/configuration.mjs');
  process.exitCode = 1;
}
