import { KeelsonError } from '../errors.js';
import type { Span } from './api.js';

/** SpanStatusCode.ERROR */
const ERROR = 2;
/** What the conventions have for an error that says nothing of its kind. */
const OTHER = '_OTHER';
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Says of a span that it failed. */
export function fail(span: Span, thrown: unknown): void {
  try {
    const error =
      typeof (thrown as any)?.message === 'string' ? (thrown as Error) : new Error(String(thrown));
    const code = responseCode(thrown);
    if (code !== undefined) span.setAttribute('db.response.status_code', code);
    span.setAttribute('error.type', typeOf(thrown));
    span.recordException(error);
    span.setStatus({ code: ERROR, message: error.message });
  } catch {
    // Something was thrown that has no text, or whose members throw.
    span.setAttribute('error.type', OTHER);
    span.setStatus({ code: ERROR });
  }
}

/** keelson's code, else the database's, else that of the error or its name. */
function typeOf(thrown: any): string {
  if (thrown instanceof KeelsonError) return thrown.code;
  const code = responseCode(thrown) ?? thrown?.code;
  if (typeof code === 'string' && code !== '') return code;
  return typeof thrown?.name === 'string' && thrown.name !== '' ? thrown.name : OTHER;
}

/** The code that a database answered with: PostgreSQL's SQLSTATE, MySQL's and SQLite's numbers. */
function responseCode(thrown: any): string | undefined {
  if (thrown instanceof KeelsonError)
    return thrown.cause === undefined ? undefined : responseCode(thrown.cause);
  const { code, sqlState, errno, errcode } = thrown ?? {};
  if (typeof errcode === 'number') return String(errcode);
  if (typeof sqlState === 'string' && typeof errno === 'number') return String(errno);
  const isOne = typeof code === 'string' && (SQLSTATE.test(code) || code.startsWith('SQLITE_'));
  return isOne ? code : undefined;
}
