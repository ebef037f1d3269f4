import type { HttpSettings } from './httpOptions.js';
import type { Visit, Visits } from './visits.js';

/** What a server knows of a request that the request does not tell. */
export interface FetchInfo {
  /** The address of the client. */
  ip?: string | undefined;
}

/** Answers requests, as servers that speak `fetch` call it. */
export type FetchHandler<Rest extends unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | PromiseLike<Response>;

/** The answer to a request that is denied; undefined if it passes. */
export async function fetchGuard(
  visits: Visits,
  settings: HttpSettings,
  request: Request,
  info: FetchInfo | undefined,
): Promise<Response | undefined> {
  const visit = await visits.admit(request, info?.ip);
  if (visit === undefined || visit.result.allowed) return undefined;
  return denial(visits, settings, visit, request);
}

/** A handler before which a limiter stands. */
export function limitedFetch<Rest extends unknown[]>(
  visits: Visits,
  settings: HttpSettings,
  handler: FetchHandler<Rest>,
  infoOf: ((request: Request, ...rest: Rest) => FetchInfo) | undefined,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const visit = await visits.admit(request, infoOf?.(request, ...rest).ip);
    if (visit === undefined) return handler(request, ...rest);
    if (!visit.result.allowed) return denial(visits, settings, visit, request);
    visits.keep(visit);
    try {
      const response = await handler(request, ...rest);
      void visits.end(visit, true, request, response);
      return withHeaders(visits, visit, response);
    } catch (error) {
      void visits.end(visit, false, request, undefined);
      throw error;
    }
  };
}

/** The first of these that answers: `onLimitReached`, `handler`, and the usual body. */
async function denial(
  visits: Visits,
  settings: HttpSettings,
  visit: Visit,
  request: Request,
): Promise<Response> {
  const told = await visits.denied(visit, request, undefined);
  if (isResponse(told)) return withHeaders(visits, visit, told);
  const handled = await settings.handler?.(request, undefined, undefined, visit.result);
  if (isResponse(handled)) return withHeaders(visits, visit, handled);
  const { statusCode: status } = settings;
  return withHeaders(visits, visit, Response.json(visits.body(visit), { status }));
}

/** By its shape, since a response of another realm or library is as good. */
function isResponse(value: any): value is Response {
  return typeof value?.status === 'number' && typeof value.headers?.get === 'function';
}

/** A response that tells of the limits: a copy, if its own headers cannot be set. */
function withHeaders(visits: Visits, visit: Visit, response: Response): Response {
  try {
    visits.tell(visit, (name, value) => response.headers.set(name, value));
    return response;
  } catch {
    const headers = new Headers(response.headers);
    visits.tell(visit, (name, value) => headers.set(name, value));
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
  }
}
