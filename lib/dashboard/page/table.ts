import { element, write } from './dom.js';
import type { Figures } from './figures.js';
import { type Format, NONE } from './format.js';
import type { At } from './snapshot.js';

/** A word for how something is, and whether that is as it should be. */
export interface Standing {
  readonly word: string;
  readonly tone: 'good' | 'warn' | 'bad';
}

export interface Column {
  readonly title: string;
  readonly format?: Format;
  readonly value: (figures: Figures, at: At) => number | Standing | undefined;
}

export interface TableSpec {
  readonly title: string;
  /** The family whose points are the rows, and the labels that tell them apart, with their titles. */
  readonly rows: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly columns: readonly Column[];
  /** The column that is sorted by at first, its largest first. @default the names */
  readonly sortBy?: string;
}

/** Rows that are shown unless somebody wants all. */
const FEW = 20;

interface Row {
  readonly at: At;
  readonly names: readonly string[];
  readonly values: readonly (number | Standing | undefined)[];
}

/** A row of figures for each instance, or group of them. */
export class Table {
  readonly element: HTMLElement;
  readonly #spec: TableSpec;
  readonly #labels: readonly string[];
  readonly #headers: HTMLTableCellElement[] = [];
  readonly #body = element('tbody');
  readonly #more = element('button', { type: 'button', class: 'more', hidden: true });
  #sort: { column: number; isDescending: boolean };
  #isWhole = false;
  #latest: Figures | undefined;

  constructor(spec: TableSpec) {
    this.#spec = spec;
    this.#labels = Object.keys(spec.labels);
    const titles = [...Object.values(spec.labels), ...spec.columns.map(({ title }) => title)];
    this.#sort = {
      column: Math.max(0, titles.indexOf(spec.sortBy ?? '')),
      isDescending: spec.sortBy !== undefined,
    };
    const head = element('tr', {}, ...titles.map((title, place) => this.#header(title, place)));
    const table = element(
      'table',
      {},
      element('caption', {}, spec.title),
      element('thead', {}, head),
      this.#body,
    );
    // Wider than a phone it is scrolled by itself, with the keyboard too.
    const label = `${spec.title}, table`;
    const scroll = element(
      'div',
      { class: 'scroll', role: 'group', tabindex: '0', 'aria-label': label },
      table,
    );
    this.#more.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole;
      this.#show();
    });
    this.element = element('div', { class: 'table' }, scroll, this.#more);
  }

  update(figures: Figures): void {
    this.#latest = figures;
    this.#show();
  }

  #header(title: string, place: number): HTMLElement {
    const isName = place < this.#labels.length;
    const button = element('button', { type: 'button' }, title);
    button.addEventListener('click', () => {
      const { column, isDescending } = this.#sort;
      // Of names the first comes first, of figures the largest.
      this.#sort = { column: place, isDescending: column === place ? !isDescending : !isName };
      this.#show();
    });
    const header = element('th', { scope: 'col', class: isName ? 'name' : undefined }, button);
    this.#headers.push(header);
    return header;
  }

  #show(): void {
    const figures = this.#latest;
    if (figures === undefined) return;
    const { rows: family, columns } = this.#spec;
    const rows = figures.groups(family, ...this.#labels).map((at): Row => {
      const names = this.#labels.map((label, place) => at[label] || (place === 0 ? 'unnamed' : NONE));
      return { at, names, values: columns.map(({ value }) => value(figures, at)) };
    });
    rows.sort(this.#compare);
    const shown = this.#isWhole ? rows : rows.slice(0, FEW);
    while (this.#body.rows.length > shown.length) this.#body.deleteRow(-1);
    for (const [place, row] of shown.entries()) this.#fill(this.#body.rows[place] ?? this.#append(), row);
    this.#more.hidden = rows.length <= FEW;
    write(this.#more, this.#isWhole ? `Show only ${FEW}` : `Show all ${rows.length}`);
    for (const [place, header] of this.#headers.entries()) {
      if (place !== this.#sort.column) header.removeAttribute('aria-sort');
      else header.setAttribute('aria-sort', this.#sort.isDescending ? 'descending' : 'ascending');
    }
  }

  readonly #compare = (one: Row, other: Row): number => {
    const { column, isDescending } = this.#sort;
    const [a, b] = [cellOf(one, column), cellOf(other, column)];
    if (a === b) return 0;
    // What is not there comes last either way.
    if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
    return (a < b ? -1 : 1) * (isDescending ? -1 : 1);
  };

  #append(): HTMLTableRowElement {
    const row = this.#body.insertRow();
    for (const { className } of this.#headers)
      row.append(
        row.cells.length === 0 ? element('th', { scope: 'row' }) : element('td', { class: className }),
      );
    return row;
  }

  #fill(element: HTMLTableRowElement, { names, values }: Row): void {
    for (const [place, name] of names.entries()) write(element.cells[place]!, name);
    for (const [place, value] of values.entries()) {
      const cell = element.cells[names.length + place]!;
      if (typeof value === 'object') stand(cell, value);
      else write(cell, value === undefined ? NONE : this.#spec.columns[place]!.format!(value));
    }
  }
}

function cellOf({ names, values }: Row, column: number): number | string | undefined {
  if (column < names.length) return names[column];
  const value = values[column - names.length];
  return typeof value === 'object' ? value.word : value;
}

function stand(cell: HTMLTableCellElement, { word, tone }: Standing): void {
  const badge = cell.querySelector('span') ?? cell.appendChild(element('span', { class: 'standing' }));
  badge.dataset.tone = tone;
  write(badge, word);
}
