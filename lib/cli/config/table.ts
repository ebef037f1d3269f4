import type { ConfigurationEntry } from '../../config/entries.js';

const HEADINGS = ['setting', 'value', 'from', 'variable'];
const SIZES = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
] as const;

/** A value with its unit. */
function textOf({ value, unit }: Pick<ConfigurationEntry, 'value' | 'unit'>): string {
  if (value === undefined) return 'none';
  if (typeof value !== 'number' || value === Number.POSITIVE_INFINITY) return String(value);
  const [size, name] = SIZES.find(([bytes]) => value % bytes === 0) ?? [1, 'bytes'];
  const [amount, shown] = unit === 'bytes' && value > 0 ? [value / size, name] : [value, unit];
  return shown === undefined ? amount.toLocaleString('en') : `${amount.toLocaleString('en')} ${shown}`;
}

function sourceOf({ source, path, variable }: ConfigurationEntry, profile: string): string {
  if (source === 'configure') return 'configure()';
  if (source === 'profile') return `profile ${profile}`;
  if (source === 'default') return 'default';
  return path === 'profile' ? variable : 'environment';
}

/** Settings as lines of columns, the headings first. */
export function tableOf(entries: readonly ConfigurationEntry[]): string[] {
  const profile = String(entries.find(({ path }) => path === 'profile')?.value);
  const rows = entries.map((entry) => [
    ...[entry.path, textOf(entry), sourceOf(entry, profile), entry.variable],
  ]);
  const lines = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  return lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
