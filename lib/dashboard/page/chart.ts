import { element, svg, write } from './dom.js';
import { bytes, bytesPerSecond, type Format, show } from './format.js';

/** Seconds that a chart shows. */
const SPAN = 180;
/** Lines that can be told apart; tables have the rest. */
const MOST_LINES = 6;
const [WIDTH, HEIGHT] = [300, 100];

/** A name, and what it has now. */
export type Line = readonly [label: string, value: number | undefined];

interface Drawn {
  /** One for each of the chart's times; undefined breaks the line. */
  readonly values: (number | undefined)[];
  readonly path: SVGPathElement;
  readonly figure: HTMLElement;
}

/** Lines over the last minutes, with a legend that has their present values as text. */
export class Chart {
  readonly element: HTMLElement;
  readonly #title: string;
  readonly #format: Format;
  readonly #most: number | undefined;
  readonly #times: number[] = [];
  readonly #lines = new Map<string, Drawn>();
  readonly #plot: SVGSVGElement;
  readonly #top = element('span', { class: 'top' });
  readonly #legend = element('ul', { class: 'legend' });

  /** @param most of the axis, where it is always the same */
  constructor(title: string, format: Format, most?: number) {
    [this.#title, this.#format, this.#most] = [title, format, most];
    const grid = svg('path', {
      class: 'grid',
      d: `M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`,
    });
    this.#plot = svg(
      'svg',
      {
        class: 'plot',
        role: 'img',
        'aria-label': title,
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
      },
      grid,
    );
    const caption = element('figcaption', {}, element('h3', {}, title), this.#top);
    this.element = element('figure', {}, caption, this.#plot, this.#legend);
  }

  /** Leaves a gap: nobody has looked meanwhile. */
  break(): void {
    const last = this.#times.at(-1);
    if (last !== undefined) this.#push(last, []);
  }

  clear(): void {
    this.#times.length = 0;
    for (const { values } of this.#lines.values()) values.length = 0;
  }

  add(time: number, lines: readonly Line[]): void {
    for (const [label] of lines)
      if (!this.#lines.has(label) && this.#lines.size < MOST_LINES) this.#make(label);
    this.#push(time, lines);
    while (this.#times[0]! < time - SPAN) {
      this.#times.shift();
      for (const { values } of this.#lines.values()) values.shift();
    }
    this.#draw(time);
  }

  #make(label: string): void {
    const style = `line line-${this.#lines.size}`;
    const path = svg('path', { class: style });
    const figure = element('b');
    const swatch = svg(
      'svg',
      { viewBox: '0 0 20 4', 'aria-hidden': 'true' },
      svg('path', { class: style, d: 'M0 2H20' }),
    );
    this.#legend.append(element('li', {}, swatch, element('span', {}, label), figure));
    this.#plot.append(path);
    this.#lines.set(label, { values: this.#times.map(() => undefined), path, figure });
  }

  #push(time: number, lines: readonly Line[]): void {
    const found = new Map(lines);
    this.#times.push(time);
    for (const [label, { values }] of this.#lines) values.push(found.get(label));
  }

  #draw(now: number): void {
    const top = this.#most ?? this.#ceiling();
    write(this.#top, this.#format(top));
    const said: string[] = [];
    for (const [label, { values, path, figure }] of this.#lines) {
      path.setAttribute('d', this.#pathOf(values, now, top));
      const text = show(values.at(-1), this.#format);
      write(figure, text);
      said.push(`${label} ${text}`);
    }
    this.#plot.setAttribute(
      'aria-label',
      `${this.#title} over the last three minutes. Now: ${said.join(', ')}`,
    );
  }

  #pathOf(values: readonly (number | undefined)[], now: number, top: number): string {
    let path = '';
    let command = 'M';
    for (const [place, value] of values.entries()) {
      if (value === undefined) {
        command = 'M';
        continue;
      }
      const x = WIDTH * (1 - (now - this.#times[place]!) / SPAN);
      const y = HEIGHT * (1 - Math.min(value / top, 1));
      path += `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
      // A single one is a dot, with round ends of lines.
      if (command === 'M') path += 'h0';
      command = 'L';
    }
    return path;
  }

  /** A round number above all of them. */
  #ceiling(): number {
    let most = 0;
    for (const { values } of this.#lines.values())
      for (const value of values) most = Math.max(most, value ?? 0);
    if (most === 0) return 1;
    if (this.#format === bytes || this.#format === bytesPerSecond) return 2 ** Math.ceil(Math.log2(most));
    const unit = 10 ** Math.floor(Math.log10(most));
    return [1, 2, 5, 10].map((step) => step * unit).find((round) => round >= most) ?? most;
  }
}
