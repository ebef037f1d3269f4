import type { Binding } from './judge.js';
import type { Shape } from './shape.js';

const WIDTH = 100;

/** The new contents of a file, in the module style, the quotes and the line endings of the old ones. */
export function replacementOf(
  text: string,
  path: string,
  bindings: readonly Binding[],
  style: Shape['style'],
): string {
  const single = (text.match(/'/g) ?? []).length >= (text.match(/"/g) ?? []).length;
  const from = single ? "'keelson'" : '"keelson"';
  const typescript = /\.[cm]?ts$/.test(path);
  const lines =
    style === 'esm' ? reExports(bindings, from) : commonjs(text, bindings, from, style, typescript);
  const windows = (text.match(/\r\n/g) ?? []).length * 2 > (text.match(/\n/g) ?? []).length;
  return `${lines.join('\n')}\n`.replaceAll('\n', windows ? '\r\n' : '\n');
}

/** Types by `export type`, which every setting of the compiler takes, isolatedModules and verbatimModuleSyntax too. */
function reExports(bindings: readonly Binding[], from: string): string[] {
  return [true, false].flatMap((typeOnly) => {
    const names = bindings.filter((one) => one.typeOnly === typeOnly).map((one) => renamed(one, ' as '));
    return names.length === 0 ? [] : [braced(typeOnly ? 'export type' : 'export', names, ` from ${from};`)];
  });
}

function renamed({ keelson, name }: Binding, as: string): string {
  return keelson === name ? name : `${keelson}${as}${name}`;
}

function braced(head: string, names: readonly string[], tail: string): string {
  const line = `${head} { ${names.join(', ')} }${tail}`;
  return line.length <= WIDTH ? line : `${head} {\n${names.map((name) => `  ${name},\n`).join('')}}${tail}`;
}

/**
 * Names go through variables, so that Node finds them without running the file, for ESM that imports it by name.
 * `__esModule`, which compiled importers look at, is kept.
 */
function commonjs(
  text: string,
  bindings: readonly Binding[],
  from: string,
  style: Shape['style'],
  typescript: boolean,
): string[] {
  const strict = /^\s*(['"])use strict\1/m.exec(text) ? [`${from[0]}use strict${from[0]};`, ''] : [];
  const [first] = bindings;
  if (style === 'equals' && typescript && /\bexport\s*=/.test(text)) {
    return [`import { ${first!.keelson} } from ${from};`, '', `export = ${first!.keelson};`];
  }
  if (style === 'equals') return [...strict, `module.exports = require(${from}).${first!.keelson};`];
  const locals = [...new Set(bindings.map(({ keelson }) => keelson))];
  const head = [...strict, braced('const', locals, ` = require(${from});`), ''];
  if (/__esModule/.test(text)) {
    const names = bindings.map(({ name, keelson }) => `exports.${name} = ${keelson};`);
    return [
      ...head,
      `Object.defineProperty(exports, ${from[0]}__esModule${from[0]}, { value: true });`,
      ...names,
    ];
  }
  const members = bindings.map(({ name, keelson }) => (name === keelson ? name : `${name}: ${keelson}`));
  return [...head, braced('module.exports =', members, ';')];
}
