import { PeerMissingError } from '../errors.js';

/** Attributes of spans and metrics. */
export type Attributes = Record<string, string | number | boolean | undefined>;

/** What of a MeterProvider of OpenTelemetry is needed. */
export interface OpenTelemetryMeterProvider {
  getMeter(name: string, version?: string): any;
}

/** What of a TracerProvider of OpenTelemetry is needed. */
export interface OpenTelemetryTracerProvider {
  getTracer(name: string, version?: string): any;
}

/** What travels with what is called, the active span among others. */
export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
  deleteValue(key: symbol): Context;
}

export interface Span {
  setAttribute(name: string, value: string | number | boolean): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  updateName(name: string): unknown;
  recordException(exception: Error | string): void;
  end(): void;
}

export interface Tracer {
  startSpan(name: string, options: { kind: number; attributes: Attributes }, context: Context): Span;
}

/** An instrument that is asked for its figures. */
export type Observable = object;

/** What a callback of several instruments tells their figures to. */
export interface BatchObservableResult {
  observe(instrument: Observable, value: number, attributes: Attributes): void;
}

type BatchCallback = (result: BatchObservableResult) => Promise<void>;
type CreateObservable = (name: string, options: { unit: string; description: string }) => Observable;

export interface Meter {
  createObservableCounter: CreateObservable;
  createObservableUpDownCounter: CreateObservable;
  createObservableGauge: CreateObservable;
  addBatchObservableCallback(callback: BatchCallback, instruments: Observable[]): void;
  removeBatchObservableCallback(callback: BatchCallback, instruments: Observable[]): void;
}

/** What of @opentelemetry/api is needed, which 1.3.0 has already. */
export interface Api {
  readonly context: {
    active(): Context;
    with<R>(context: Context, work: () => R): R;
  };
  readonly trace: OpenTelemetryTracerProvider & {
    getSpan(context: Context): Span | undefined;
    setSpan(context: Context, span: Span): Context;
  };
  readonly metrics: { getMeterProvider(): OpenTelemetryMeterProvider };
  createNoopMeter(): Meter;
}

const PACKAGE = '@opentelemetry/api';
/** What instruments and spans are told to come from. */
export const SCOPE = 'keelson';

/** @param what needs it @throws PeerMissingError */
export function loadApi(what: string): Api {
  try {
    return require('@opentelemetry/api') as Api;
  } catch (cause) {
    throw new PeerMissingError(what, PACKAGE, { cause });
  }
}

/** keelson's own. */
export function version(): string {
  return (require('../../package.json') as { version: string }).version;
}
