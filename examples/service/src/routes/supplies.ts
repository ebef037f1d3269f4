import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import type { Product } from '../data/products';
import { MAX_STOCK, type Supply } from '../database/articles';
import { badRequest, HttpError } from '../http/errors';
import { body, memberInteger, memberText } from '../http/input';
import { endOf, readJson, sendJson } from '../http/json';
import { requestTimeout } from '../http/middleware';
import { requireAdmin } from '../http/session';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import { slices } from '../services/slices';
import { type Item, SUPPLY_VERSION } from '../services/supplies';

/** Large bodies take a while on a slow line. */
const PATIENCE = 60_000;
const MEGABYTE = 2 ** 20;
const MAX_PRICE = 1_000_000_000;
/** What a database cannot keep in a text: NUL, and half of a pair. */
const UNSAVABLE = /[\0\p{Surrogate}]/u;

function isItem(value: unknown): value is Item {
  if (typeof value !== 'object' || value === null || !('id' in value)) return false;
  const { id } = value;
  return (typeof id === 'string' && id !== '' && id.length <= 100) || Number.isSafeInteger(id);
}

/** The items of a document; a 400 if it is none, or one that was cut off. */
function documentItems(req: Request): unknown[] {
  const { version, items, complete } = body(req, 'version', 'items', 'complete');
  if (version !== SUPPLY_VERSION) throw badRequest(`"version" must be ${SUPPLY_VERSION}`);
  if (!Array.isArray(items)) throw badRequest('"items" must be a list');
  if (complete !== true) throw badRequest('"complete" must be true: was the document cut off?');
  return items;
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

/** Checks everything before anything is changed: one bad item refuses the document. */
async function checked(list: readonly unknown[]): Promise<Supply[]> {
  const supplies: Supply[] = [];
  for await (const slice of slices(list)) {
    for (const value of slice) {
      if (!isItem(value)) {
        throw badRequest(
          `items[${supplies.length}] must have an "id": a whole number or up to 100 characters`,
        );
      }
      // What has a price is for sale.
      const product = 'price' in value ? productAt(supplies.length, value) : undefined;
      supplies.push({ id: value.id, document: JSON.stringify(value), product });
    }
  }
  return supplies;
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
  const { sessions, supplies } = context;
  const limit = requestTimeout(context.requestTimers, PATIENCE);
  // Before the body: nobody else can make the service read and parse it.
  const admins: RequestHandler = (req, _res, next) => {
    requireAdmin(req, sessions);
    next();
  };

  router.addRoute('/api/import', {
    id: 'import',
    method: 'POST',
    middleware: [limit, admins, readJson({ maxBytes: 32 * MEGABYTE, maxDepth: 32 })],
    handler: async (req: Request, res: Response) => {
      const signal = endOf(res);
      const counts = await unlessGone(signal, supplies.take(await checked(documentItems(req)), signal));
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
