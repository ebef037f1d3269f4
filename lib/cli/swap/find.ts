import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type ts from 'typescript';
import { changesOf } from './changes.js';
import { SIZE_LIMIT, sourcesOf, TEST } from './files.js';
import { judge } from './judge.js';
import { isManualMock, maybeSame, mockedModules } from './mocks.js';
import { KNOWN_VALUES, moduleOf } from './modules.js';
import { published } from './published.js';
import { replacementOf } from './replacement.js';
import { shapeByScan } from './scan.js';
import type { Shape } from './shape.js';
import { shapeByCompiler } from './syntaxTree.js';

/** A file that is to be replaced. */
export interface Swap {
  path: string;
  title: string;
  before: Buffer;
  /** The text of `before`, without a byte order mark. */
  text: string;
  after: string;
  /** What changes in behaviour. */
  changes: string[];
}

/** What was found in a project. Paths are relative to it, with `/`. */
export interface Findings {
  swaps: Swap[];
  done: string[];
  left: { path: string; reason: string }[];
  warnings: string[];
}

/** @param extra files to look at, whatever their names are */
export async function find(root: string, inGit: boolean, extra: ReadonlySet<string>): Promise<Findings> {
  const findings: Findings = { swaps: [], done: [], left: [], warnings: [] };
  const tests: { path: string; mocked: string[] }[] = [];
  const candidates: string[] = [];
  for await (const path of sourcesOf(root, inGit)) {
    if (TEST.test(path)) tests.push({ path, mocked: mocksIn(join(root, path)) });
    else if (moduleOf(path) !== undefined || extra.has(path)) candidates.push(path);
  }
  const present = new Set(candidates);
  const look = lookWith(compilerOf(root));
  // What a compiler wrote beside its source follows from the source.
  for (const path of candidates.sort()) {
    if (!present.has(path.replace(/js$/, 'ts')) || path.endsWith('ts')) look(root, path, findings);
  }
  findings.warnings.push(...mockWarnings(findings.swaps, tests));
  return findings;
}

function mocksIn(file: string): string[] {
  return statSync(file).size > SIZE_LIMIT ? [] : mockedModules(readFileSync(file, 'utf8'));
}

/** The project's own compiler. Undefined without one, or with one that has no such interface. */
function compilerOf(root: string): typeof ts | undefined {
  try {
    const compiler = createRequire(join(root, 'package.json'))('typescript') as typeof ts;
    return typeof compiler.createSourceFile === 'function' ? compiler : undefined;
  } catch {
    return undefined;
  }
}

function lookWith(compiler: typeof ts | undefined) {
  const known = published();
  const shapeOf = (path: string, text: string): Shape =>
    compiler === undefined ? shapeByScan(text) : shapeByCompiler(compiler, path, text);

  return (root: string, path: string, { swaps, done, left }: Findings): void => {
    const file = join(root, path);
    if (statSync(file).size > SIZE_LIMIT) {
      left.push({ path, reason: 'it is larger than 1 MB' });
      return;
    }
    const before = readFileSync(file);
    const text = textOf(before);
    if (text === undefined) {
      left.push({ path, reason: 'it is not UTF-8' });
      return;
    }
    const shape = shapeOf(path, text);
    const verdict = judge(shape, known);
    if (verdict.status === 'done') done.push(path);
    else if (verdict.status === 'left') left.push({ path, reason: verdict.reason });
    else if (verdict.status === 'swap') {
      const { bindings } = verdict;
      const values = bindings.map(({ keelson }) => keelson).filter((name) => KNOWN_VALUES.has(name));
      const title = moduleOf(path)?.title ?? values[0]!;
      const after = replacementOf(text, path, bindings, shape.style);
      swaps.push({ path, title, before, text, after, changes: changesOf(values) });
    }
  };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function mockWarnings(
  swaps: readonly Swap[],
  tests: readonly { path: string; mocked: string[] }[],
): string[] {
  return tests.flatMap(({ path, mocked }) =>
    swaps.flatMap((swap) => {
      const names = mocked.filter((name) => maybeSame(name, swap.path)).map((name) => `'${name}'`);
      if (isManualMock(path, swap.path)) names.push('by its place');
      if (names.length === 0) return [];
      return [
        `${path} mocks ${swap.path} (${names.join(', ')}): there the mock goes on in place of keelson.`,
      ];
    }),
  );
}
