import { KNOWN_VALUES } from './modules.js';
import type { Published } from './published.js';
import type { Exported, Shape } from './shape.js';

/** A name that a file exports, and what keelson calls it. */
export interface Binding {
  name: string;
  keelson: string;
  typeOnly: boolean;
}

/**
 * What is to become of a file: `swap` it; `done` before; `left` alone, why is told; or it is a `barrel`, which only
 * passes on what others export: files of the project, which are looked at themselves, or a package.
 */
export type Verdict =
  | { status: 'swap'; bindings: Binding[] }
  | { status: 'done' }
  | { status: 'left'; reason: string }
  | { status: 'barrel' };

const PACKAGE = 'keelson';

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

export function judge({ exports, stars, style }: Shape, known: Published): Verdict {
  const sources = [...exports.map(({ from }) => from), ...stars];
  if (sources.length === 0) return { status: 'left', reason: 'it exports nothing that can be seen' };
  if (sources.every((from) => from === PACKAGE)) return { status: 'done' };
  if (sources.every((from) => from !== undefined)) return { status: 'barrel' };
  if (stars.length > 0) {
    return { status: 'left', reason: `it exports all of ${stars.map((star) => `'${star}'`).join(', ')}` };
  }
  if (style === 'equals' && exports.length > 1) {
    return { status: 'left', reason: 'it exports one value, and names as properties of that' };
  }
  const bindings: Binding[] = [];
  const missing: string[] = [];
  for (const entry of exports) {
    const found = bind(entry, known);
    if (found === undefined) missing.push(describe(entry));
    else bindings.push(found);
  }
  if (missing.length > 0) return { status: 'left', reason: `keelson does not export ${missing.join(', ')}` };
  if (bindings.every(({ typeOnly }) => typeOnly)) {
    return { status: 'left', reason: 'it exports types only' };
  }
  return { status: 'swap', bindings };
}

function describe({ name, local }: Exported): string {
  if (name === 'default') return local === undefined ? 'its default export' : `its default export ${local}`;
  return name === '=' ? `its value ${local ?? ''}`.trim() : name;
}

function bind(entry: Exported, known: Published): Binding | undefined {
  const { name, local, kind } = entry;
  // A name in quotes could not be written back as it is.
  if (name !== '=' && !IDENTIFIER.test(name)) return undefined;
  if (kind === 'instance') {
    // The one object that keelson exports ready-made. Others are made with arguments of the service's own.
    const isManager = local === 'TimerManager' && (name === 'timerManager' || !isPublicName(name));
    return isManager ? { name, keelson: 'timerManager', typeOnly: false } : undefined;
  }
  const names = [local, isPublicName(name) ? name : undefined].filter((one) => one !== undefined);
  if (kind === 'type') {
    const keelson = names.find((one) => known.types.has(one) || KNOWN_VALUES.has(one));
    return keelson === undefined ? undefined : { name, keelson, typeOnly: true };
  }
  const keelson = knownValue(names, kind);
  if (keelson !== undefined) return { name, keelson, typeOnly: false };
  const type = kind === 'unknown' ? names.find((one) => known.types.has(one)) : undefined;
  return type === undefined ? undefined : { name, keelson: type, typeOnly: true };
}

const isPublicName = (name: string) => name !== 'default' && name !== '=';

/** Only what the seven modules export: `json` of keelson is another thing than the `json` of somebody's router. */
function knownValue(names: readonly string[], kind: Exported['kind']): string | undefined {
  const exact = new Set(names.filter((one) => KNOWN_VALUES.has(one)));
  if (exact.size > 1) return undefined;
  const [only] = exact;
  if (only !== undefined || kind !== 'class') return only;
  const classes = [...KNOWN_VALUES].filter((value) => /^[A-Z]/.test(value));
  return classes.find((value) => names.some((one) => one.toLowerCase() === value.toLowerCase()));
}
