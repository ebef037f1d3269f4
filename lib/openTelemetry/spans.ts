import type { DriverConnection } from '../database/driver.js';
import { OP, ROW } from '../rateLimiter/native.js';
import type { Asker } from '../redis/limits.js';
import type { Api, Attributes, Context, Span, Tracer } from './api.js';
import { fail } from './failure.js';
import { summaryOf } from './querySummary.js';

/** SpanKind */
const [INTERNAL, SERVER, CLIENT] = [0, 1, 2];
/** Where instrumentations of HTTP and of frameworks meet: @opentelemetry/core, src/trace/rpc-metadata.ts. */
const RPC_METADATA = Symbol.for('OpenTelemetry SDK Context Key RPC_METADATA');

/** Of a limiter, by their numbers. */
const OPERATIONS = Object.keys(OP);

interface RpcMetadata {
  readonly type: string;
  readonly span: Span;
  route?: string;
}

/** A span that ends when its owner says so. */
export interface OpenSpan {
  /** Calls something in it, so that spans that this makes are its children. */
  within<R>(work: () => R): R;
  end(error?: unknown): void;
}

/** What came of a call, where a promise that is fulfilled may be a failure. */
type FailureOf = (value: any) => unknown;
const never: FailureOf = () => undefined;
const failureOfResult: FailureOf = (result) => (result.success ? undefined : result.error);

/** Makes the spans of all utilities. */
export class Spans {
  constructor(
    private readonly api: Api,
    private readonly tracer: Tracer,
    /** Whether spans of statements have their text. */
    private readonly hasText: boolean,
  ) {}

  /** A call of `query()` or `run()`. @param tells whether it resolves to a result that tells of its failure */
  call<R>(target: Attributes, sql: unknown, tells: boolean, work: () => R): R {
    return this.#during(this.#statement(target, sql), work, tells ? failureOfResult : never);
  }

  /** A statement of a transaction. */
  statement(
    target: Attributes,
    connection: DriverConnection,
    sql: string,
    params: readonly unknown[] | undefined,
  ): unknown {
    return this.#during(this.#statement(target, sql), () => connection.query(sql, params));
  }

  /** One statement with many rows of parameters. */
  batch<R extends PromiseLike<readonly unknown[]>>(target: Attributes, sql: string, work: () => R): R {
    const span = this.#statement(target, sql, 'BATCH ');
    return this.#during(span, work, (results: readonly unknown[]) => {
      span.setAttribute('db.operation.batch.size', results.length);
      return undefined;
    });
  }

  stream(target: Attributes, sql: string): OpenSpan {
    const span = this.#statement(target, sql);
    const inner = this.#inside(span);
    return {
      within: (work) => this.api.context.with(inner, work),
      end: (error) => {
        if (error !== undefined) fail(span, error);
        span.end();
      },
    };
  }

  transaction<R>(target: Attributes, work: () => R): R {
    return this.#during(this.#start('keelson.database.transaction', INTERNAL, target), work);
  }

  /** An acquire that has to wait. */
  wait<R>(pool: string, answer: Promise<R>): Promise<R> {
    const attributes = { 'db.client.connection.pool.name': pool };
    return this.#during(this.#start('keelson.pool.wait', INTERNAL, attributes), () => answer);
  }

  /** A loader whose calls are spans. */
  loader<Args extends unknown[], R>(
    cache: 'lru' | 'shared' | 'tiered',
    load: (...args: Args) => R,
  ): (...args: Args) => R {
    const attributes = { 'keelson.cache.kind': cache };
    return (...args) =>
      this.#during(this.#start('keelson.cache.load', INTERNAL, attributes), () => load(...args));
  }

  breaker<R>(name: string, call: () => R): R {
    return this.#during(
      this.#start('keelson.breaker.call', INTERNAL, { 'keelson.breaker.name': name }),
      call,
    );
  }

  task<R>(operation: string, priority: string, submit: () => R): R {
    const attributes = { 'keelson.json.priority': priority };
    return this.#during(this.#start(`keelson.json.${operation}`, INTERNAL, attributes), submit);
  }

  /** What a limiter asks of Redis, until whoever asked is answered. @param op one of {@link OP} */
  ask(op: number, asker: Asker): Asker {
    const attributes = { 'db.system.name': 'redis' };
    const span = this.#start(`keelson.rate_limiter.${OPERATIONS[op]}`, CLIENT, attributes);
    return {
      answered: (numbers, place) => {
        span.setAttribute('keelson.rate_limiter.allowed', numbers[place + ROW.allowed] !== 0);
        span.end();
        asker.answered(numbers, place);
      },
      failed: (error) => {
        fail(span, error);
        span.end();
        asker.failed(error);
      },
    };
  }

  /** Tells the span of the server, which whoever instruments HTTP has made, which route a request has. */
  route(req: any, path: string): void {
    const active = this.api.context.active();
    const rpc = active.getValue(RPC_METADATA) as RpcMetadata | undefined;
    const span = rpc?.span ?? this.api.trace.getSpan(active);
    if (span === undefined || (rpc === undefined && (span as { kind?: number }).kind !== SERVER)) return;
    const route = `${typeof req.baseUrl === 'string' ? req.baseUrl : ''}${path}`;
    if (rpc !== undefined) rpc.route = route;
    span.setAttribute('http.route', route);
    span.updateName(`${req.method} ${route}`);
  }

  #statement(target: Attributes, sql: unknown, prefix = ''): Span {
    const text = typeof sql === 'string' ? sql : '';
    const summary = `${prefix}${summaryOf(text)}`;
    const attributes = {
      ...target,
      ...(summary !== '' && { 'db.query.summary': summary }),
      ...(this.hasText && text !== '' && { 'db.query.text': text }),
    };
    return this.#start(summary || String(target['db.system.name']), CLIENT, attributes);
  }

  #start(name: string, kind: number, attributes: Attributes): Span {
    return this.tracer.startSpan(name, { kind, attributes }, this.api.context.active());
  }

  #inside(span: Span): Context {
    return this.api.trace.setSpan(this.api.context.active(), span);
  }

  /** Calls something in a span, which ends with it, or with its promise. */
  #during<R>(span: Span, work: () => R, failureOf: FailureOf = never): R {
    let result: R;
    try {
      result = this.api.context.with(this.#inside(span), work);
    } catch (error) {
      fail(span, error);
      span.end();
      throw error;
    }
    if (typeof (result as any)?.then !== 'function') {
      span.end();
      return result;
    }
    return Promise.resolve(result).then(
      (value) => {
        const failure = failureOf(value);
        if (failure !== undefined) fail(span, failure);
        span.end();
        return value;
      },
      (error) => {
        fail(span, error);
        span.end();
        throw error;
      },
    ) as R;
  }
}

/** Undefined until a service asks for spans: all that they cost until then is to look. */
export let spans: Spans | undefined;

/** Makes spans from now on, or none. */
export function use(made: Spans | undefined): void {
  spans = made;
}
