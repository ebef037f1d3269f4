import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process';

/** A program of the documentation. */
export interface Snippet {
  /** The file and line where it begins, as `docs/guides/x.md:12`. */
  place: string;
  /** The file without folder and extension. */
  guide: string;
  /** A name for a file, unique. */
  id: string;
  source: string;
  /** What it prints; undefined: it is a jest spec. */
  output: string | undefined;
  /** The server whose address it finds in the environment. */
  server: 'redis' | 'postgres' | undefined;
}

interface Block {
  info: string;
  text: string;
  line: number;
}

/** What a block in TypeScript may say of itself; a block with anything else would be run by nobody. */
const KINDS = /^ts (?:run(?: (redis|postgres))?|jest)$/;
const SCRIPT = /^(?:[cm]?[jt]sx?|javascript|typescript)\b/i;

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(({ 1: info, 2: text, index }) => ({
    info: info!,
    text: text!,
    line: markdown.slice(0, index).split('\n').length,
  }));
}

/** What a program prints: the block of text that follows it, or the program beside it that prints the same. */
function outputAfter(blocks: readonly Block[], index: number): string | undefined {
  const next = blocks.slice(index + 1).find(({ info }) => !info.startsWith('ts run'));
  return next?.info === 'text' ? next.text : undefined;
}

/** The programs of a file, each of which says how it is run. */
export function snippetsOf(file: string, markdown: string): Snippet[] {
  const blocks = blocksOf(markdown);
  return blocks.flatMap(({ info, text, line }, index) => {
    if (!SCRIPT.test(info)) return [];
    const place = `${file}:${line}`;
    const kind = KINDS.exec(info);
    if (!kind) throw new Error(`${place}: nobody runs a block of '${info}'; see docs/README.md`);
    const output = info === 'ts jest' ? undefined : outputAfter(blocks, index);
    if (output === undefined && info !== 'ts jest')
      throw new Error(`${place}: no block of text has what it prints`);
    const guide = file.replace(/^.*\/|\.md$/g, '');
    const server = kind[1] as Snippet['server'];
    return [{ place, guide, id: `${guide}-${line}`, source: text, output, server }];
  });
}

/** Paths of all files of the documentation, from the project's folder on. */
export const documents: readonly string[] = ['docs', 'docs/guides'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`),
);

export const textOf = (document: string): string =>
  readFileSync(join(root, document), 'utf8').replaceAll('\r\n', '\n');

/** All programs of the documentation. */
export const snippets: readonly Snippet[] = documents.flatMap((path) => snippetsOf(path, textOf(path)));
