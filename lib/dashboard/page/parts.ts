import type { Line } from './chart.js';
import type { Figures } from './figures.js';
import { count, type Format, perSecond } from './format.js';
import type { ChartSpec } from './section.js';
import type { At } from './snapshot.js';
import type { Column, Standing } from './table.js';

// What sections are made of.

/** A figure of each row as it is now. */
export function now(title: string, family: string, format: Format = count, at?: At): Column {
  return { title, format, value: (figures, row) => figures.value(family, { ...row, ...at }) };
}

/** How much it grows a second. */
export function rate(title: string, family: string, at?: At, format: Format = perSecond): Column {
  return { title, format, value: (figures, row) => figures.rate(family, { ...row, ...at }) };
}

/** A percentile of durations. */
export function percentile(title: string, family: string, q: number, format: Format): Column {
  return { title, format, value: (figures, row) => figures.quantile(family, q, row) };
}

/** The growth of some as a share of that of all. */
export function shareOf(title: string, family: string, part: At, format: Format): Column {
  return { title, format, value: (figures, row) => figures.share(family, { ...row, ...part }, row) };
}

/** 'up' or 'down' of a family that is 1 where all is well. */
export function isUp(title: string, family: string): Column {
  return {
    title,
    value: (figures, row) => {
      const value = figures.value(family, row);
      if (value === undefined) return undefined;
      return value === 1 ? { word: 'up', tone: 'good' } : { word: 'down', tone: 'bad' };
    },
  };
}

/** The state of those that have one each; of several at once how many are in which. */
export function state(
  title: string,
  family: string,
  tones: Readonly<Record<string, Standing['tone']>>,
): Column {
  return {
    title,
    value: (figures, row) => {
      const found = figures
        .groups(family, 'state')
        .map(({ state = '' }) => ({ state, many: figures.value(family, { ...row, state }) ?? 0 }))
        .filter(({ many }) => many > 0);
      if (found.length === 0) return undefined;
      const all = found.map(({ state }) => tones[state] ?? 'good');
      const tone = all.includes('bad') ? 'bad' : all.includes('warn') ? 'warn' : 'good';
      if (found.length === 1 && found[0]!.many === 1) return { word: words(found[0]!.state), tone };
      return { word: found.map(({ state, many }) => `${many} ${words(state)}`).join(', '), tone };
    },
  };
}

/** 'halfOpen' as people write it. */
export function words(state: string): string {
  return state.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A line for each value of a label, of how much there is of it, or how much it grows a second. */
export function linesBy(figures: Figures, how: 'value' | 'rate', family: string, label: string): Line[] {
  return figures
    .groups(family, label)
    .map((at) => [at[label] || 'unnamed', figures[how](family, at)] as const);
}

export function chartBy(
  title: string,
  family: string,
  label: string,
  how: 'value' | 'rate' = 'rate',
  format: Format = how === 'rate' ? perSecond : count,
): ChartSpec {
  return { title, format, lines: (figures) => linesBy(figures, how, family, label) };
}

/** p50 and p99 of durations. */
export function chartOf(title: string, family: string, format: Format): ChartSpec {
  return {
    title,
    format,
    lines: (figures) =>
      figures.has(family)
        ? [
            ['p50', figures.quantile(family, 0.5)],
            ['p99', figures.quantile(family, 0.99)],
          ]
        : [],
  };
}
