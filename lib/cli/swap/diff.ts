/** Lines of a removed body that a plan shows. */
const SHOWN = 40;

/** A unified diff of a file whose whole contents are replaced; a long body is shown by its beginning and a count. */
export function replacementDiff(path: string, before: string, after: string): string {
  const removed = linesOf(before);
  const added = linesOf(after);
  const shown = removed.length > SHOWN + 5 ? removed.slice(0, SHOWN) : removed;
  const hidden = removed.length - shown.length;
  return [
    `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -${range(removed)} +${range(added)} @@`,
    ...shown.map((line) => `-${line}`),
    ...(hidden > 0 ? [`-… and ${hidden} lines more`] : []),
    ...added.map((line) => `+${line}`),
  ].join('\n');
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const range = (lines: readonly string[]) => (lines.length === 1 ? '1' : `1,${lines.length}`);
