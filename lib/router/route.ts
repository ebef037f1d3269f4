import { Histogram, type LatencySummary } from '../histogram.js';
import type { Middleware } from './middleware.js';
import type { RouteHandler } from './types.js';

/** Why an attempt failed, or a response did not reach its client. */
export interface RouteErrors {
  /** The handler threw. */
  thrown: number;
  /** Its promise was rejected. */
  rejected: number;
  /** It took longer than its `timeout`. */
  timeout: number;
  /** It called `next(error)`; a framework's own `next`, which routes without timeout and retries get, tells nothing. */
  passed: number;
  /** Its middleware threw, was rejected or called `next(error)`. */
  middleware: number;
  /** The client went away before the response was complete. */
  disconnected: number;
}

/** Answers by the class of their status. */
export interface StatusClasses {
  '1xx': number;
  '2xx': number;
  '3xx': number;
  '4xx': number;
  '5xx': number;
}

/** Counters of one `addRoute()`. */
export interface RouteMetrics {
  id: string;
  path: string;
  methods: string[];
  weight: number;
  /** Requests that were given to it first. */
  requests: number;
  /** Attempts under way. */
  inFlight: number;
  /** Requests that were repeated after an attempt of this handler, be it by another one. */
  retries: number;
  /** Answers by status class, where the response tells its status. */
  byStatusClass: StatusClasses;
  errors: RouteErrors;
  /** Whether it is out of service for any of its methods. */
  ejected: boolean;
  /** How often it was taken out of service. */
  ejections: number;
  /** Milliseconds from the call of the handler to the end of its response, of all attempts that ended. */
  latency: LatencySummary;
}

const NOTHING = new Histogram().summary();

/** One `addRoute()`: what was given, checked, and its counters. */
export class Route {
  readonly definition: RouteHandler;
  readonly path: string;
  readonly methods: readonly string[];
  readonly middleware: readonly Middleware[];
  /** Milliseconds; 0 for none. */
  readonly timeout: number;
  readonly retries: number;
  weight: number;
  requests = 0;
  inFlight = 0;
  retried = 0;
  ejections = 0;
  readonly errors: RouteErrors = {
    thrown: 0,
    rejected: 0,
    timeout: 0,
    passed: 0,
    middleware: 0,
    disconnected: 0,
  };
  /** By the first digit. */
  readonly #statuses = [0, 0, 0, 0, 0, 0];
  #latency: Histogram | undefined;

  constructor(
    path: string,
    definition: RouteHandler,
    checked: {
      methods: readonly string[];
      middleware: readonly Middleware[];
      weight: number;
      timeout: number;
      retries: number;
    },
  ) {
    this.path = path;
    this.definition = definition;
    this.methods = checked.methods;
    this.middleware = checked.middleware;
    this.weight = checked.weight;
    this.timeout = checked.timeout;
    this.retries = checked.retries;
  }

  countStatus(status: unknown): void {
    if (typeof status === 'number' && status >= 100 && status < 600) this.#statuses[(status / 100) | 0]!++;
  }

  recordLatency(milliseconds: number): void {
    this.#latency ??= new Histogram();
    this.#latency.record(milliseconds);
  }

  metrics(ejected: boolean): RouteMetrics {
    const [, informational, success, redirect, client, server] = this.#statuses;
    return {
      id: this.definition.id,
      path: this.path,
      methods: [...this.methods],
      weight: this.weight,
      requests: this.requests,
      inFlight: this.inFlight,
      retries: this.retried,
      byStatusClass: {
        '1xx': informational!,
        '2xx': success!,
        '3xx': redirect!,
        '4xx': client!,
        '5xx': server!,
      },
      errors: { ...this.errors },
      ejected,
      ejections: this.ejections,
      latency: this.#latency?.summary() ?? { ...NOTHING },
    };
  }
}
