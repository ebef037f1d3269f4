import { watchAnswer } from './answering.js';
import type { HttpSettings } from './httpOptions.js';
import type { Visits } from './visits.js';

/** A hook of Fastify, for `onRequest` or any that comes before the handler. */
export type RateLimitHook = (request: any, reply: any) => Promise<any>;

/** Lets requests go on, or answers them. What it throws is Fastify's to answer. */
export function fastifyHook(visits: Visits, settings: HttpSettings): RateLimitHook {
  return async (request, reply) => {
    const visit = await visits.admit(request);
    if (visit === undefined) return undefined;
    visits.setHeaders(visit, reply);
    visits.follow(visit, request, reply, reply.raw);
    if (visit.result.allowed) return undefined;
    if (await visits.deniedAndAnswered(visit, request, reply)) return reply;
    const { handler, statusCode } = settings;
    if (handler === undefined) return reply.code(statusCode).send(visits.body(visit));
    const isAnswered = watchAnswer(reply);
    const returned = await handler(request, reply, undefined, visit.result);
    if (!isAnswered() && returned !== undefined && returned !== reply) return reply.send(returned);
    return reply;
  };
}
