import { bound } from './bindings.js';
import { careful, thrown } from './careful.js';
import { plainOf } from './encode.js';
import type { LogLevel } from './levels.js';
import { isPlainObject } from './plain.js';
import type { Redactor } from './redact.js';

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
    const members = mixin(level);
    return typeof members === 'object' && members !== null ? bound(members, metadata) : metadata;
  } catch (error) {
    return bound({ mixin: thrown(error) }, metadata);
  }
}

function serialized(serializers: Readonly<Record<string, LogSerializer>>, metadata: unknown): unknown {
  const members = membersOf(metadata);
  if (members === undefined) return metadata;
  for (const [name, serializer] of Object.entries(serializers)) {
    if (Object.hasOwn(members, name)) members[name] = told(serializer, members[name]);
  }
  return members;
}

/** Of what throws when it is looked at, those of the careful copy: what a serializer would hide stays hidden. */
function membersOf(metadata: unknown): Record<string, unknown> | undefined {
  try {
    return isPlainObject(metadata) ? { ...metadata } : undefined;
  } catch {
    const copy = careful(metadata);
    return isPlainObject(copy) ? { ...copy } : undefined;
  }
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
  const hide = (plain: unknown): unknown =>
    typeof plain === 'object' && plain !== null ? redact(plain) : plain;
  try {
    return hide(plainOf(metadata));
  } catch {
    // A getter that throws only now and then. The copy has none.
    return hide(careful(metadata));
  }
}
