import { escapeHtml } from './escape.js';
import { round } from './step.js';

/** A point; a broken one is drawn as a cross. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly broken: boolean;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
  /** Logarithmic, for what spans orders of magnitude. */
  readonly logarithmic?: boolean;
  /** A horizontal line to stay below. */
  readonly limit?: { readonly name: string; readonly y: number };
}

const WIDTH = 480;
const HEIGHT = 270;
const AREA = { left: 56, right: WIDTH - 16, top: 14, bottom: HEIGHT - 44 };

interface Axis {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Draws a plot over the rate as SVG, which needs nothing from elsewhere. Colours are the page's classes. */
export function svgOf({ title, series, logarithmic = false, limit }: Plot, id: string): string {
  const points = series.flatMap((one) => one.points);
  const highest = Math.max(...points.map(({ y }) => y), limit?.y ?? 0);
  const x = linear(0, Math.max(...points.map((point) => point.x)), AREA.left, AREA.right);
  const y = logarithmic
    ? logarithm(Math.min(...points.map((point) => point.y)), highest)
    : linear(0, highest, AREA.bottom, AREA.top);
  const parts = [
    ...y.ticks.map((tick) => grid(tick, y.place(tick))),
    ...x.ticks.map((tick) => text(x.place(tick), AREA.bottom + 18, round(tick), 'middle')),
    text((AREA.left + AREA.right) / 2, HEIGHT - 8, 'requests a second, asked', 'middle'),
    ...(limit === undefined ? [] : [limitLine(y.place(limit.y), limit.name)]),
    ...series.map((one, index) => line(one, index, x, y)),
  ];
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}"><title id="${id}">${escapeHtml(
    `${title}: ${series.map(({ name }) => name).join(', ')}. The table has the figures.`,
  )}</title>${parts.join('')}</svg>`;
}

function linear(min: number, max: number, from: number, to: number): Axis {
  const top = max > min ? max : min + 1;
  const rough = (top - min) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = ([1, 2, 5, 10].find((factor) => factor * power >= rough) as number) * power;
  const end = Math.ceil(top / size) * size;
  const count = Math.round((end - min) / size);
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => min + index * size),
    place: (value) => from + ((value - min) / (end - min)) * (to - from),
  };
}

function logarithm(min: number, max: number): Axis {
  const low = Math.floor(Math.log10(Math.max(min, 0.001)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(max, 0.001))));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
    place: (value) => {
      const share = (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
      return AREA.bottom + share * (AREA.top - AREA.bottom);
    },
  };
}

const fixed = (value: number) => value.toFixed(1);

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escapeHtml(content)}</text>`;
}

function grid(tick: number, y: number): string {
  const stroke = `<line class="grid" x1="${AREA.left}" x2="${AREA.right}" y1="${fixed(y)}" y2="${fixed(y)}"/>`;
  return stroke + text(AREA.left - 6, y + 4, round(tick), 'end');
}

function limitLine(y: number, name: string): string {
  const stroke = `<line class="limit" x1="${AREA.left}" x2="${AREA.right}" y1="${fixed(y)}" y2="${fixed(y)}"/>`;
  return stroke + text(AREA.left + 4, y - 5, name, 'start');
}

function line({ points }: Series, index: number, x: Axis, y: Axis): string {
  const places = points.map((point) => ({
    ...point,
    at: [fixed(x.place(point.x)), fixed(y.place(point.y))],
  }));
  const path = `<polyline class="line" points="${places.map(({ at }) => at.join(',')).join(' ')}"/>`;
  const marks = places.map(({ at: [cx, cy], broken }) =>
    broken
      ? `<path class="mark" d="M${cx} ${cy}m-4-4l8 8m-8 0l8-8"/>`
      : `<circle class="mark" cx="${cx}" cy="${cy}" r="3"/>`,
  );
  return `<g class="series-${index}">${path}${marks.join('')}</g>`;
}
