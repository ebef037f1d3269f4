import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import type { Product } from '../data/products';
import { badRequest, HttpError } from '../http/errors';
import { body, memberInteger, memberText } from '../http/input';
import { readJson, sendJson } from '../http/json';
import { requestTimeout } from '../http/middleware';
import { requireAdmin } from '../http/session';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import { slices } from '../services/slices';
import { type Item, SUPPLY_VERSION } from '../services/supplies';

/** Large bodies take a while on a slow line. */
const PATIENCE = 60_000;
const MEGABYTE = 2 ** 20;
const MAX_AMOUNT = 1_000_000_000;

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

function toProduct(item: Item): Product {
  return {
    id: memberText(item, 'id', 100),
    name: memberText(item, 'name', 200),
    category: memberText(item, 'category', 40),
    price: memberInteger(item, 'price', 0, MAX_AMOUNT),
    stock: memberInteger(item, 'stock', 0, MAX_AMOUNT),
    description: memberText(item, 'description', 2000),
  };
}

/** Checks everything before anything is changed: one bad item refuses the document. */
async function checked(list: readonly unknown[]): Promise<{ items: Item[]; products: Product[] }> {
  const items: Item[] = [];
  const products: Product[] = [];
  for await (const slice of slices(list)) {
    for (const value of slice) {
      if (!isItem(value)) {
        throw badRequest(`items[${items.length}] must have an "id": a whole number or up to 100 characters`);
      }
      // What has a price is for sale.
      if ('price' in value) products.push(productAt(items.length, value));
      items.push(value);
    }
  }
  return { items, products };
}

function productAt(index: number, item: Item): Product {
  try {
    return toProduct(item);
  } catch (error) {
    throw error instanceof HttpError ? badRequest(`items[${index}]: ${error.message}`) : error;
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
      const { items, products } = await checked(documentItems(req));
      const counts = await supplies.take(items, products);
      if (!res.headersSent) res.json(counts);
    },
  });

  router.addRoute('/api/export', {
    id: 'export',
    method: 'GET',
    middleware: [limit, admins],
    handler: (_req: Request, res: Response) => sendJson(res, supplies.document()),
  });
}
