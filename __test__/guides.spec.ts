import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import * as keelson from 'keelson';
import { type Outcome, root } from './support/process';
import {
  compile,
  expectOutcome,
  PATIENCE,
  type Programs,
  runPrograms,
  runSpecs,
  sourcesOf,
} from './support/programs';
import { documents, type Snippet, snippets, snippetsOf, textOf } from './support/snippets';

const specs = snippets.filter(({ output }) => output === undefined);
const programs = snippets.filter(({ output, server }) => output !== undefined && server === undefined);

let compiled: Programs;
let outcomes: Map<Snippet, Promise<Outcome>>;

beforeAll(async () => {
  compiled = await compile(sourcesOf(snippets));
  outcomes = runPrograms(programs, compiled);
}, PATIENCE);
afterAll(() => compiled.remove());

test('all programs of the documentation pass a strict type check', () => {
  expect(compiled.complaints).toBe('');
});

test.each(programs)('$place prints what it says', async (snippet) => {
  expectOutcome(snippet, await outcomes.get(snippet)!);
});

test(
  'the specs of the documentation pass',
  async () => {
    expect(await runSpecs(compiled)).toContain(`Test Suites: ${specs.length} passed, ${specs.length} total`);
  },
  PATIENCE,
);

test('each guide has programs, and the index leads to it', () => {
  const guides = documents.filter((path) => path.startsWith('docs/guides/'));
  expect(guides.length).toBeGreaterThanOrEqual(16);
  const index = textOf('docs/README.md');
  for (const path of guides) {
    expect(snippets.filter(({ place }) => place.startsWith(`${path}:`)).length).toBeGreaterThanOrEqual(1);
    expect(index).toContain(`](${path.slice('docs/'.length)})`);
  }
});

/** The anchors of a file's headings, as GitHub makes them. */
const anchorsOf = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(documents)('links of %s lead to files and headings', (path) => {
  for (const [, file, anchor] of textOf(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
    const target = file === '' ? path : posix.join(posix.dirname(path), file!);
    expect([target, existsSync(join(root, target))]).toEqual([target, true]);
    if (anchor !== undefined) expect(anchorsOf(textOf(target))).toContain(anchor);
  }
});

test('names that the README imports are there', () => {
  const imports = [...textOf('README.md').matchAll(/(?:import|export) \{([^}]*)\} from 'keelson'/g)];
  const names = imports.flatMap(([, list]) => list!.split(',').map((name) => name.trim().split(' ')[0]!));
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !(name in keelson))).toEqual([]);
});

describe('a block of TypeScript', () => {
  test('that nobody would run is refused', () => {
    expect(() => snippetsOf('x.md', 'Text.\n\n```ts\nlet a;\n```\n')).toThrow(
      "x.md:3: nobody runs a block of 'ts'",
    );
    expect(() => snippetsOf('x.md', '```js run\nlet a;\n```\n')).toThrow("nobody runs a block of 'js run'");
  });

  test('whose output is not told is refused', () => {
    expect(() => snippetsOf('x.md', '```ts run\nlet a;\n```\n\n```yaml\na: 1\n```\n')).toThrow(
      'x.md:1: no block of text',
    );
  });
});
