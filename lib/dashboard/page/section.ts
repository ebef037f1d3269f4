import { Chart, type Line } from './chart.js';
import { element } from './dom.js';
import type { Figures } from './figures.js';
import type { Format } from './format.js';
import { Table, type TableSpec } from './table.js';

export interface ChartSpec {
  readonly title: string;
  readonly format: Format;
  /** Of the axis, where it is always the same. */
  readonly most?: number;
  readonly lines: (figures: Figures) => readonly Line[];
}

/** What the page shows of one kind of utility. */
export interface SectionSpec {
  readonly id: string;
  readonly title: string;
  /** Families of which one at least is there where the utility is used. */
  readonly needs: readonly string[];
  readonly charts: readonly ChartSpec[];
  readonly tables: readonly TableSpec[];
}

export class Section {
  readonly element: HTMLElement;
  readonly #charts: readonly { chart: Chart; needed: ChartSpec }[];
  readonly #tables: readonly { table: Table; rows: string }[];

  constructor({ id, title, charts, tables }: SectionSpec) {
    this.#charts = charts.map((needed) => ({
      needed,
      chart: new Chart(needed.title, needed.format, needed.most),
    }));
    this.#tables = tables.map((spec) => ({ table: new Table(spec), rows: spec.rows }));
    this.element = element(
      'section',
      { id, 'aria-labelledby': `${id}-title` },
      element('h2', { id: `${id}-title` }, title),
      element('div', { class: 'charts' }, ...this.#charts.map(({ chart }) => chart.element)),
      ...this.#tables.map(({ table }) => table.element),
    );
  }

  update(figures: Figures): void {
    for (const { chart, needed } of this.#charts) {
      const lines = needed.lines(figures);
      chart.element.hidden = lines.length === 0;
      chart.add(figures.uptime, lines);
    }
    for (const { table, rows } of this.#tables) {
      table.element.hidden = !figures.has(rows);
      table.update(figures);
    }
  }

  /** @param isOther another process is shown from now on */
  break(isOther: boolean): void {
    for (const { chart } of this.#charts) {
      if (isOther) chart.clear();
      else chart.break();
    }
  }
}
