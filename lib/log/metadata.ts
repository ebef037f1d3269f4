import { bound, membersOf } from './bindings.js';
import { careful } from './careful.js';
import { plainOf } from './encode.js';
import type { LogLevel } from './levels.js';
import { isObject } from './plain.js';
import type { Redactor } from './redact.js';
import { thrown } from './text.js';

/** What becomes of metadata before it is written. */
export type Preparation = (level: LogLevel, metadata: unknown) => unknown;

/** Tells of a member of the metadata what is to be written in its place. */
export type LogSerializer = (value: any) => unknown;

/** Members for every line, by the place where it is logged. */
export type LogMixin = (level: LogLevel) => object | undefined;

interface Steps {
  mixin?: LogMixin | undefined;
  serializers?: Readonly<Record<string, LogSerializer>> | undefined;
  redact?: Redactor | undefined;
}

/** Members of the mixin, serializers, and redaction of what comes of them; undefined where there is nothing to do. */
export function preparation({ mixin, serializers, redact }: Steps): Preparation | undefined {
  if (!mixin && !serializers && !redact) return undefined;
  return (level, given) => {
    let metadata = given;
    if (mixin) metadata = mixed(mixin, level, metadata);
    if (serializers) metadata = serialized(serializers, metadata);
    return redact ? redacted(redact, metadata) : metadata;
  };
}

function mixed(mixin: LogMixin, level: LogLevel, metadata: unknown): unknown {
  try {
    const members = membersOf(mixin(level));
    return members === undefined ? metadata : bound(members, metadata);
  } catch (error) {
    return bound({ mixin: thrown(error) }, metadata);
  }
}

function serialized(serializers: Readonly<Record<string, LogSerializer>>, metadata: unknown): unknown {
  if (membersOf(metadata) === undefined) return metadata;
  // A copy, in which a getter that throws has been told.
  const members = bound({}, metadata) as Record<string, unknown>;
  for (const [name, serializer] of Object.entries(serializers)) {
    if (Object.hasOwn(members, name)) members[name] = told(serializer, members[name]);
  }
  return members;
}

function told(serializer: LogSerializer, value: unknown): unknown {
  try {
    return serializer(value);
  } catch (error) {
    return thrown(error);
  }
}

/** Of what is going to be written, so that what a toJSON makes is redacted too. */
function redacted(redact: Redactor, metadata: unknown): unknown {
  try {
    return hidden(redact, plainOf(metadata));
  } catch {
    // A getter that throws, or gives something else, only now and then. The copy has none.
    return hidden(redact, careful(metadata));
  }
}

function hidden(redact: Redactor, metadata: unknown): unknown {
  if (!isObject(metadata)) return metadata;
  const copy: any = redact(metadata);
  // Beside bindings, an error or a list is in here.
  return isObject(copy.metadata) ? { ...copy, metadata: redact(copy.metadata) } : copy;
}
