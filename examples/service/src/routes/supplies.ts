import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import type { Product } from '../data/products';
import { MAX_STOCK, type Supply } from '../database/articles';
import { badRequest, HttpError } from '../http/errors';
import { memberInteger, memberText, noObject, onlyMembers } from '../http/input';
import { endOf, readJsonDocument, sendJson } from '../http/json';
import { requestTimeout } from '../http/middleware';
import { requireAdmin } from '../http/session';
import { JSONDocument } from '../lib/utilities/performance/jsonWorkerPool';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import { slices } from '../services/slices';
import { type Item, SUPPLY_VERSION } from '../services/supplies';

/** Large bodies take a while on a slow line. */
const PATIENCE = 60_000;
const MEGABYTE = 2 ** 20;
const MAX_PRICE = 1_000_000_000;
/** Items whose texts are taken at once. */
const TEXTS = 100;
/** What a database cannot keep in a text: NUL, and half of a pair. */
const UNSAVABLE = /[\0\p{Surrogate}]/u;

const isId = (id: unknown): id is Item['id'] =>
  typeof id === 'string' ? id !== '' && id.length <= 100 : Number.isSafeInteger(id);

/** What is there, unless it is a container. */
function scalar(document: JSONDocument, pointer: string): unknown {
  return document.length(pointer) === undefined ? document.get(pointer) : undefined;
}

/** The document of a body; a 400 if it is none, or one that was cut off. */
function supplyDocument(req: Request): JSONDocument {
  const document: unknown = req.body;
  const names = document instanceof JSONDocument ? document.keys() : undefined;
  if (!(document instanceof JSONDocument) || names === undefined) throw noObject();
  onlyMembers(names, 'version', 'items', 'complete');
  if (scalar(document, '/version') !== SUPPLY_VERSION)
    throw badRequest(`"version" must be ${SUPPLY_VERSION}`);
  if (document.typeOf('/items') !== 'array') throw badRequest('"items" must be a list');
  if (scalar(document, '/complete') !== true)
    throw badRequest('"complete" must be true: was the document cut off?');
  return document;
}

function savableText(item: Item, name: string, maxLength: number): string {
  const text = memberText(item, name, maxLength);
  if (UNSAVABLE.test(text)) throw badRequest(`"${name}" must be a text without NUL and halves of pairs`);
  return text;
}

function toProduct(item: Item): Product {
  return {
    id: memberText(item, 'id', 100),
    name: savableText(item, 'name', 200),
    category: savableText(item, 'category', 40),
    price: memberInteger(item, 'price', 0, MAX_PRICE),
    stock: memberInteger(item, 'stock', 0, MAX_STOCK),
    description: savableText(item, 'description', 2000),
  };
}

/**
 * Checks everything before anything is changed: one bad item refuses the document. Items are kept as they came, and so only
 * those that are for sale are built.
 */
async function checked(document: JSONDocument, signal: AbortSignal): Promise<Supply[]> {
  const [ids, prices] = await Promise.all(
    ['/items/*/id', '/items/*/price'].map((pattern) => document.column<unknown>(pattern, { signal })),
  );
  const supplies: Supply[] = [];
  for await (const texts of slices(document.slices('/items'), TEXTS)) {
    for (const text of texts) {
      const index = supplies.length;
      const id = ids![index];
      if (!isId(id))
        throw badRequest(`items[${index}] must have an "id": a whole number or up to 100 characters`);
      // What has a price is for sale.
      const product = prices![index] === null ? undefined : productAt(index, JSON.parse(text) as Item);
      supplies.push({ id, document: text, product });
    }
  }
  return supplies;
}

/** The supplies of a body, of which nothing else is kept. */
async function suppliesOf(req: Request, signal: AbortSignal): Promise<Supply[]> {
  try {
    return await checked(supplyDocument(req), signal);
  } finally {
    if (req.body instanceof JSONDocument) req.body.close();
  }
}

function productAt(index: number, item: Item): Product {
  try {
    return toProduct(item);
  } catch (error) {
    throw error instanceof HttpError ? badRequest(`items[${index}]: ${error.message}`) : error;
  }
}

/** What the work gives; undefined if it failed because its client has left or was answered 504. */
async function unlessGone<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** What suppliers send, in and out, in documents of many megabytes. */
export function addSupplyRoutes(router: OptimizedRouter, context: Context): void {
  const { limits, sessions, supplies } = context;
  const limit = requestTimeout(context.requestTimers, PATIENCE);
  // Before the body: nobody else can make the service read and parse it.
  const admins: RequestHandler = (req, _res, next) => {
    requireAdmin(req, sessions);
    next();
  };

  router.addRoute('/api/import', {
    id: 'import',
    method: 'POST',
    middleware: [
      limit,
      admins,
      limits.ofImports,
      readJsonDocument({ maxBytes: 32 * MEGABYTE, maxDepth: 32 }),
    ],
    handler: async (req: Request, res: Response) => {
      const signal = endOf(res);
      const take = async () => supplies.take(await suppliesOf(req, signal), signal);
      const counts = await unlessGone(signal, take());
      if (counts !== undefined && !res.headersSent) res.json(counts);
    },
  });

  router.addRoute('/api/export', {
    id: 'export',
    method: 'GET',
    middleware: [limit, admins],
    handler: async (_req: Request, res: Response) => {
      const signal = endOf(res);
      const document = await unlessGone(signal, supplies.document(signal));
      if (document !== undefined && !res.headersSent) await sendJson(res, document);
    },
  });
}
