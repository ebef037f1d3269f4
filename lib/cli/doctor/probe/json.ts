import type { AnyFunction, JsonNote, Kit } from './types.js';

/** Watches calls of JSON that take long. Runs within the service, so that nothing of this module's scope is there. */
export function watchJson(kit: Kit, jsonMs: number) {
  const { apply } = Reflect;
  const stack = kit.stacks();
  const groups: Record<string, JsonNote> = Object.create(null);
  // No machine parses a text so short for so long: its call is not even measured.
  const short = jsonMs * 10_000;

  function note(method: JsonNote['method'], tookMs: number, text: unknown, below: AnyFunction): void {
    const frames = stack(below);
    const [top] = frames;
    const key = `${method} ${top ? `${top.file}:${top.line}:${top.column}` : ''}`;
    groups[key] ??= { method, frames, count: 0, maxMs: 0, totalMs: 0, maxLength: 0 };
    const group = groups[key];
    group.count++;
    group.maxMs = Math.max(group.maxMs, tookMs);
    group.totalMs += tookMs;
    if (typeof text === 'string') group.maxLength = Math.max(group.maxLength, text.length);
  }

  kit.replace(JSON, 'parse', (original) => {
    function ours(this: unknown, ...args: unknown[]): unknown {
      const [text, reviver] = args;
      if (!kit.on || (typeof text === 'string' && text.length < short && reviver === undefined)) {
        return apply(original, this, args);
      }
      const start = kit.now();
      try {
        return apply(original, this, args);
      } finally {
        const took = kit.now() - start;
        if (took >= jsonMs) kit.aside(() => note('JSON.parse', took, text, ours));
      }
    }
    return ours;
  });

  kit.replace(JSON, 'stringify', (original) => {
    function ours(this: unknown, ...args: unknown[]): unknown {
      if (!kit.on) return apply(original, this, args);
      const start = kit.now();
      let text: unknown;
      try {
        text = apply(original, this, args);
        return text;
      } finally {
        const took = kit.now() - start;
        if (took >= jsonMs) kit.aside(() => note('JSON.stringify', took, text, ours));
      }
    }
    return ours;
  });

  return { notes: () => Object.values(groups) };
}
