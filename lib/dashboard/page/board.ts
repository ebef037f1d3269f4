import { CACHES } from './cacheSections.js';
import { byId, element } from './dom.js';
import { Facts, type ProcessFacts } from './facts.js';
import { Figures } from './figures.js';
import { OPERATIONS } from './operationSections.js';
import { RUNTIME, WORK } from './runtimeSections.js';
import { Section, type SectionSpec } from './section.js';
import type { Message } from './snapshot.js';
import { TRAFFIC } from './trafficSections.js';

const SPECS: readonly SectionSpec[] = [...RUNTIME, ...TRAFFIC, ...CACHES, ...WORK, ...OPERATIONS];

/** All sections that there is something to show in, and the way to them. */
export class Board {
  readonly #figures = new Figures();
  readonly #facts = new Facts(byId('facts'));
  readonly #sections = new Map<SectionSpec, Section>();
  #pid: number | undefined;

  /** A stream has begun, maybe of another process. */
  begin(facts: ProcessFacts): void {
    const isOther = facts.pid !== this.#pid;
    if (isOther) this.#figures.clear();
    for (const section of this.#sections.values()) section.break(isOther);
    this.#pid = facts.pid;
    this.#facts.tell(facts);
  }

  update(message: Message): void {
    const figures = this.#figures;
    figures.add(message);
    this.#facts.update(figures);
    const used = SPECS.filter(({ needs }) => needs.some((family) => figures.has(family)));
    if (used.length !== this.#sections.size || used.some((spec) => !this.#sections.has(spec)))
      this.#show(used);
    for (const section of this.#sections.values()) section.update(figures);
  }

  #show(used: readonly SectionSpec[]): void {
    const kept = new Map(this.#sections);
    this.#sections.clear();
    for (const spec of used) this.#sections.set(spec, kept.get(spec) ?? new Section(spec));
    byId('sections').replaceChildren(...[...this.#sections.values()].map((section) => section.element));
    const links = used.map(({ id, title }) => element('li', {}, element('a', { href: `#${id}` }, title)));
    byId('contents').replaceChildren(element('ul', {}, ...links));
  }
}
