import { pathOf } from '../router/request.js';
import { boolean, options as named, string } from '../validate.js';
import type { HealthDocument } from './document.js';
import type { HealthHandlerOptions, HealthMiddlewareOptions } from './options.js';

/** What there is to ask for. */
export type Question = 'live' | 'ready' | 'startup' | 'health';
export const QUESTIONS: readonly Question[] = ['live', 'ready', 'startup', 'health'];

/** Answers a question, with or without its checks. */
export type Ask = (question: Question, withDetails: boolean) => Promise<HealthDocument>;

/** A listener of node:http, or a handler of a framework on top of it. */
export type HealthHandler = (req: any, res: any) => void;
/** Middleware of Express, Connect and the OptimizedRouter. */
export type HealthMiddleware = (req: any, res: any, next: (error?: any) => void) => void;

const PATHS: Readonly<Record<Question, string>> = {
  live: '/livez',
  ready: '/readyz',
  startup: '/startupz',
  health: '/health',
};

export function handlerOf(ask: Ask, question: Question, given: HealthHandlerOptions): HealthHandler {
  named<HealthHandlerOptions>('options', given, ['details']);
  const details = detailsOf(given);
  return (req, res) => void answer(ask, question, details, req, res);
}

export function middlewareOf(ask: Ask, given: HealthMiddlewareOptions): HealthMiddleware {
  named<HealthMiddlewareOptions>('options', given, [...QUESTIONS, 'details']);
  const details = detailsOf(given);
  const questions = new Map<string, Question>();
  for (const question of QUESTIONS) {
    const path = given[question] ?? PATHS[question];
    if (path !== false) questions.set(string(question, path), question);
  }
  return (req, res, next) => {
    const question = questions.get(pathOf(req).split('?', 1)[0]!);
    if (question === undefined) next();
    else void answer(ask, question, details, req, res);
  };
}

type Details = (req: unknown) => boolean;

function detailsOf({ details = false }: HealthHandlerOptions): Details {
  if (typeof details !== 'function') {
    const always = boolean('details', details);
    return () => always;
  }
  return (req) => {
    try {
      return details(req) === true;
    } catch {
      return false;
    }
  };
}

async function answer(ask: Ask, question: Question, details: Details, req: any, res: any): Promise<void> {
  res.setHeader('Cache-Control', 'no-store');
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.statusCode = 405;
    res.setHeader('Allow', 'GET, HEAD');
    res.end();
    return;
  }
  const document = await ask(question, details(req));
  const body = Buffer.from(JSON.stringify(document));
  res.statusCode = document.status === 'fail' ? 503 : 200;
  res.setHeader('Content-Type', 'application/health+json');
  res.setHeader('Content-Length', body.length);
  // Of an answer to HEAD Node sends no more than the headers.
  res.end(body);
}
