import * as fc from 'fast-check';
import { OptimizedRouter } from 'keelson';
import { ask, naming } from './support/router';

/** Patterns, and the shapes that each stands for. */
const PATTERNS: Record<string, string[]> = {
  '/a': ['/a'],
  '/a/:y?': ['/a', '/a/:'],
  '/a/:z': ['/a/:'],
  '/b': ['/b'],
};
const METHODS = ['GET', 'POST', '*'];

interface Handler {
  id: string;
  path: string;
  methods: string[];
  weight: number;
}

/** The plainest router there is: lists of handlers by shape and method, each list with the round of nginx. */
class Model {
  handlers: Handler[] = [];
  readonly groups = new Map<string, { handler: Handler; current: number }[]>();

  keysOf({ path, methods }: Handler): string[] {
    return PATTERNS[path]!.flatMap((shape) => methods.map((method) => `${method} ${shape}`));
  }

  add(handler: Handler): void {
    this.handlers.push(handler);
    for (const key of this.keysOf(handler))
      this.groups.set(key, [...(this.groups.get(key) ?? []), { handler, current: 0 }]);
    this.startAnew(handler);
  }

  find(path: string, id: string | undefined): Handler[] {
    return this.handlers.filter(
      (handler) => handler.path === path && (id === undefined || handler.id === id),
    );
  }

  remove(path: string, id: string | undefined): boolean {
    const found = this.find(path, id);
    for (const handler of found) {
      this.startAnew(handler);
      for (const key of this.keysOf(handler)) {
        const left = this.groups.get(key)!.filter((one) => one.handler !== handler);
        if (left.length > 0) this.groups.set(key, left);
        else this.groups.delete(key);
      }
    }
    this.handlers = this.handlers.filter((handler) => !found.includes(handler));
    return found.length > 0;
  }

  setWeight(path: string, id: string, weight: number): boolean {
    const found = this.find(path, id);
    for (const handler of found) {
      const groups =
        handler.weight === weight ? [] : this.keysOf(handler).map((key) => this.groups.get(key)!);
      const before = groups.map((group) => this.total(group));
      handler.weight = weight;
      // Who was due stays due, by the same share of a round.
      for (const [at, group] of groups.entries()) {
        for (const one of group) one.current *= this.total(group) / before[at]!;
      }
    }
    return found.length > 0;
  }

  total(group: { handler: Handler }[]): number {
    return group.reduce((sum, { handler }) => sum + handler.weight, 0) || group.length;
  }

  /** A group that gains or loses a handler begins its round anew. */
  startAnew(handler: Handler): void {
    for (const key of this.keysOf(handler)) for (const one of this.groups.get(key)!) one.current = 0;
  }

  ask(path: string, method: string): string | number {
    const shape = path === '/a/1' ? '/a/:' : path;
    const group = this.groups.get(`${method} ${shape}`) ?? this.groups.get(`* ${shape}`);
    if (group === undefined) {
      return METHODS.some((other) => this.groups.has(`${other} ${shape}`)) ? 405 : 404;
    }
    const drained = group.every(({ handler }) => handler.weight === 0);
    const takingPart = group.filter(({ handler }) => drained || handler.weight > 0);
    const weightOf = ({ handler }: (typeof group)[number]) => (drained ? 1 : handler.weight);
    for (const one of takingPart) one.current += weightOf(one);
    const best = takingPart.reduce((most, one) => (one.current > most.current ? one : most));
    best.current -= takingPart.reduce((sum, one) => sum + weightOf(one), 0);
    return best.handler.id;
  }
}

const path = fc.constantFrom(...Object.keys(PATTERNS));
const id = fc.constantFrom('p', 'q', 'r');
const weight = fc.constantFrom(0, 1, 1, 2, 5);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      path,
      id,
      weight,
      methods: fc.subarray(METHODS, { minLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('remove' as const), path, id: fc.option(id, { nil: undefined }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('weigh' as const), path, id, weight }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      path: fc.constantFrom('/a', '/a/1', '/b', '/c'),
      method: fc.constantFrom('GET', 'POST', 'PUT'),
    }),
  },
);

test('routes that come, go and change their weights serve as the model says', () => {
  const property = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
    const router = new OptimizedRouter();
    const model = new Model();
    for (const one of steps) {
      if (one.do === 'add') {
        router.addRoute(one.path, naming(one.id, { method: one.methods, weight: one.weight }));
        model.add({ ...one });
      } else if (one.do === 'remove') {
        expect(router.removeRoute(one.path, one.id)).toBe(model.remove(one.path, one.id));
      } else if (one.do === 'weigh') {
        expect(router.setWeight(one.path, one.id, one.weight)).toBe(
          model.setWeight(one.path, one.id, one.weight),
        );
      } else {
        const [{ status, body }] = ask(router, one.path, one.method).sent as [
          { status: number; body: unknown },
        ];
        expect(status === 200 ? body : status).toBe(model.ask(one.path, one.method));
      }
      expect(router.getStats()).toStrictEqual({
        routes: model.handlers.length,
        cacheSize: 0,
        loadBalancers: model.groups.size,
      });
    }
    expect(router.getAllRoutes().map(({ path: of, handler }) => [of, handler.id])).toEqual(
      model.handlers.map((handler) => [handler.path, handler.id]),
    );
  });
  fc.assert(property, { numRuns: 300 });
});
