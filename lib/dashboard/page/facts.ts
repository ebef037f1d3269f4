import { element, write } from './dom.js';
import type { Figures } from './figures.js';
import { age, bytes, count, share, show } from './format.js';

/** What the service tells of itself when a stream begins. */
export interface ProcessFacts {
  readonly pid: number;
  readonly node: string;
}

/** What there is to know of the process as a whole. */
export class Facts {
  readonly #list: HTMLElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  tell({ pid, node }: ProcessFacts): void {
    this.#write('Process', String(pid));
    this.#write('Node', node);
  }

  update(figures: Figures): void {
    this.#write('Up for', age(figures.uptime));
    this.#write('Resident', show(figures.value('process.memory.usage'), bytes));
    this.#write('CPU', show(figures.rate('process.cpu.time'), share));
    this.#write('Threads', show(figures.value('nodejs.threads'), count));
  }

  #write(title: string, text: string): void {
    let value = this.#values.get(title);
    if (value === undefined) {
      value = element('dd');
      this.#values.set(title, value);
      this.#list.append(element('div', {}, element('dt', {}, title), value));
    }
    write(value, text);
  }
}
