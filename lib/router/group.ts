import { RouteTrie } from '../routeTrie.js';
import type { Balancer, Candidate } from './balancer/balancer.js';
import { hashText } from './balancer/rendezvous.js';
import { type Admission, type Change, Health, type Verdict } from './health.js';
import type { RouterSettings } from './options.js';
import type { Route } from './route.js';
import type { RouteHandler, RouteMatch } from './types.js';

/** Share of its weight that a handler begins a slow start with. */
const FIRST_SHARE = 0.1;

/** How a group is reached from what the trie found. A symbol, so that the trie takes it for no member of a route. */
export const GROUP = Symbol('group');

/** What the trie holds: one for each path, method and constraints. */
export interface Place extends RouteHandler {
  readonly [GROUP]: Group;
}

/** A route as one of the handlers of a group. */
export class Member implements Candidate {
  readonly route: Route;
  readonly hash: number;
  readonly health: Health | undefined;
  /** When it began, or came back. */
  since: number;
  /** Finds the parameters by its own names, where they differ from those of the group. */
  readonly names: RouteTrie | undefined;

  constructor(route: Route, hash: number, health: Health | undefined, since: number, names?: RouteTrie) {
    this.route = route;
    this.hash = hash;
    this.health = health;
    this.since = since;
    this.names = names;
  }

  get inFlight(): number {
    return this.route.inFlight;
  }

  /** The parameters of a request, by the names of this member. */
  params(match: RouteMatch, path: string): Record<string, string> {
    if (this.names === undefined) return match.params;
    return this.names.search(path, '*')?.params ?? match.params;
  }
}

/** The handlers of one path, method and constraints, and the choice among them. */
export class Group {
  readonly path: string;
  readonly method: string;
  readonly place: Place;
  members: readonly Member[] = [];
  /** The only member, where nothing has to be decided. */
  solo: Member | undefined;
  readonly #settings: RouterSettings;
  readonly #balancer: Balancer;
  /** The members' weights by index, as long as no time and no health plays a part. */
  #weights: readonly number[] = [];
  /** Members that are out of service. */
  #ejected = 0;
  /** When the last slow start is over. */
  #settledAt = Number.NEGATIVE_INFINITY;

  constructor(path: string, method: string, route: Route, settings: RouterSettings) {
    this.path = path;
    this.method = method;
    this.#settings = settings;
    this.#balancer = settings.makeBalancer();
    const { id, constraints } = route.definition;
    this.place = {
      id,
      method,
      handler: refuse,
      [GROUP]: this,
      ...(constraints && { constraints: { ...constraints } }),
    };
  }

  /** @param text the route's own pattern for this place */
  add(route: Route, text: string): void {
    const { outlier, hashSeed, clock } = this.#settings;
    const { id } = route.definition;
    let hash = hashText(id, hashSeed);
    // Members of the same id must not draw the same.
    for (let n = 1; this.members.some((member) => member.hash === hash); n++) {
      hash = hashText(`${id}\0${n}`, hashSeed);
    }
    const health = outlier && new Health(outlier);
    const member = new Member(route, hash, health, clock(), this.#namesOf(text));
    this.#slowStart(member);
    this.#change([...this.members, member]);
  }

  has(route: Route): boolean {
    return this.members.some((member) => member.route === route);
  }

  /** Whether any is left. */
  remove(route: Route): boolean {
    this.#change(this.members.filter((member) => member.route !== route));
    if (this.members.length > 0) this.place.id = this.members[0]!.route.definition.id;
    return this.members.length > 0;
  }

  /** A route's weight is another one now. */
  reweigh(route: Route, from: number): void {
    for (const member of this.members) {
      if (member.route !== route || from > 0) continue;
      member.since = this.#settings.clock();
      this.#slowStart(member);
    }
    const before = sum(this.#weights);
    this.#weigh();
    // Who was due stays due: a service that sets weights all the time would else begin each round anew.
    this.#balancer.rescale?.(sum(this.#weights) / before);
  }

  /** Chooses for a request; those that have `tried` it come only where there is no other. */
  choose(req: unknown, tried: readonly Member[]): Member {
    if (this.solo !== undefined) return this.solo;
    return this.members[this.#balancer.pick(this.#present(tried), this.members, req)]!;
  }

  /** An attempt's verdict on a member. */
  judge(member: Member, admission: Admission, verdict: Verdict, now: number): Change {
    const change = member.health!.judge(admission, verdict, now, () => this.#mayEject());
    if (change === 'ejected') member.route.ejections++;
    if (change === 'restored') {
      member.since = now;
      this.#slowStart(member);
    }
    if (change !== 'none') this.#countEjected();
    return change;
  }

  #countEjected(): void {
    this.#ejected = this.members.filter((member) => member.health?.ejected === true).length;
  }

  /** Members without a weight are no spares: they get nothing. */
  #mayEject(): boolean {
    const serving = this.members.filter((_, at) => this.#weights[at]! > 0);
    const ejected = serving.filter((member) => member.health!.ejected).length;
    return (ejected + 1) * 100 <= this.#settings.outlier!.maxEjectedPercent * serving.length;
  }

  #change(members: readonly Member[]): void {
    this.members = members;
    this.solo = members.length === 1 ? members[0] : undefined;
    this.#weigh();
    this.#balancer.reset?.();
    this.#countEjected();
  }

  #weigh(): void {
    this.#weights = atLeastOne(this.members.map((member) => member.route.weight));
  }

  #slowStart(member: Member): void {
    const { slowStart } = this.#settings;
    if (slowStart > 0) this.#settledAt = Math.max(this.#settledAt, member.since + slowStart);
  }

  /** The weights as they count now. */
  #present(tried: readonly Member[]): readonly number[] {
    const { clock, slowStart } = this.#settings;
    if (this.#ejected === 0 && slowStart === 0 && tried.length === 0) return this.#weights;
    const now = clock();
    const grown = now < this.#settledAt ? this.#grown(now) : this.#weights;
    const fit = this.#ejected === 0 ? grown : this.#only(grown, (member) => member.health!.isAvailable(now));
    const fresh = tried.length === 0 ? fit : this.#only(fit ?? grown, (member) => !tried.includes(member));
    // Where nobody is fit, an unfit handler is better than none; and a handler that has tried is better than that.
    return fresh ?? fit ?? grown;
  }

  /** The weights of the members that pass; undefined where no weight is left. */
  #only(weights: readonly number[], passes: (member: Member) => boolean): readonly number[] | undefined {
    let any = false;
    const left = weights.map((weight, at) => {
      if (weight === 0 || !passes(this.members[at]!)) return 0;
      any = true;
      return weight;
    });
    return any ? left : undefined;
  }

  #grown(now: number): readonly number[] {
    const { slowStart } = this.#settings;
    return this.#weights.map((weight, at) => {
      const share = (now - this.members[at]!.since) / slowStart;
      return share >= 1 ? weight : weight * Math.max(FIRST_SHARE, share);
    });
  }

  /** Finds the parameters by the names in `text`, if those of the group are others. */
  #namesOf(text: string): RouteTrie | undefined {
    if (text === this.path) return undefined;
    const names = new RouteTrie(this.#settings.trie);
    names.insert(text, { id: text, method: '*', handler: refuse });
    return names;
  }
}

function refuse(): never {
  throw new Error('A place of the router is no handler of its own');
}

function atLeastOne(weights: readonly number[]): readonly number[] {
  return weights.some((weight) => weight > 0) ? weights : weights.map(() => 1);
}

function sum(weights: readonly number[]): number {
  return weights.reduce((total, weight) => total + weight, 0);
}
