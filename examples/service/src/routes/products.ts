import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import { badRequest, HttpError, notFound } from '../http/errors';
import { body, memberInteger, onlyQuery, queryChoice, queryInteger, queryText } from '../http/input';
import { readSmallJson } from '../http/json';
import { requestTimeout } from '../http/middleware';
import { currentSession, requireAdmin } from '../http/session';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import { type ProductView, type Query, SORT_ORDERS } from '../services/catalogue';

const MAX_PATIENCE_SECONDS = 60;

type ById = Request<{ id: string }>;

function listing(req: Request, text: string): Query {
  return {
    text,
    category: queryText(req, 'category', 40),
    sort: queryChoice(req, 'sort', 'name', SORT_ORDERS),
    page: queryInteger(req, 'page', 1, 1, 10_000),
    pageSize: queryInteger(req, 'pageSize', 10, 1, 100),
  };
}

async function existing({ catalogue }: Context, id: string): Promise<ProductView> {
  const product = await catalogue.view(id);
  if (product === undefined) throw notFound(`product "${id}"`);
  return product;
}

/** Long polls have a patience of their own, and so a timeout of their own. */
function addStockWatch(router: OptimizedRouter, context: Context): void {
  router.addRoute('/api/products/:id/stock/watch', {
    id: 'stock watch',
    method: 'GET',
    middleware: [requestTimeout(context.requestTimers, (MAX_PATIENCE_SECONDS + 5) * 1000)],
    handler: async (req: ById, res: Response) => {
      onlyQuery(req, 'seconds');
      const seconds = queryInteger(req, 'seconds', 30, 1, MAX_PATIENCE_SECONDS);
      const { id } = await existing(context, req.params.id);
      if (res.closed) return;
      const giveUp = context.stockWatch.wait(id, seconds * 1000, (stock) => {
        res.json({ id, changed: stock !== undefined, stock: stock ?? context.catalogue.get(id)?.stock ?? 0 });
      });
      res.once('close', giveUp);
    },
  });
}

/** Lists of products, and what they are listed by. */
function addListings(router: OptimizedRouter, { catalogue }: Context, limit: RequestHandler): void {
  const middleware = [limit];

  router.addRoute('/api/products', {
    id: 'products',
    method: 'GET',
    middleware,
    handler: async (req: Request, res: Response) => {
      onlyQuery(req, 'category', 'sort', 'page', 'pageSize');
      const page = await catalogue.search(listing(req, ''));
      if (!res.headersSent) res.json(page);
    },
  });

  router.addRoute('/api/search', {
    id: 'search',
    method: 'GET',
    middleware,
    handler: async (req: Request, res: Response) => {
      onlyQuery(req, 'q', 'category', 'sort', 'page', 'pageSize');
      const text = queryText(req, 'q', 100);
      if (text === '') throw badRequest('Query parameter "q" must not be empty');
      const page = await catalogue.search(listing(req, text));
      if (!res.headersSent) res.json(page);
    },
  });

  router.addRoute('/api/categories', {
    id: 'categories',
    method: 'GET',
    middleware,
    handler: async (_req: Request, res: Response) => {
      const items = await catalogue.categories();
      if (!res.headersSent) res.json({ items });
    },
  });
}

/** The whole catalogue. */
export function addProductRoutes(router: OptimizedRouter, context: Context, limit: RequestHandler): void {
  const { catalogue, sessions } = context;
  addListings(router, context, limit);
  addStockWatch(router, context);

  router.addRoute('/api/products/:id', {
    id: 'product',
    method: 'GET',
    middleware: [limit],
    handler: async (req: ById, res: Response) => {
      const product = await existing(context, req.params.id);
      if (res.headersSent) return;
      const session = currentSession(req, sessions);
      if (session !== undefined) sessions.noteViewed(session.id, product.id);
      res.json(product);
    },
  });

  router.addRoute('/api/products/:id/delivery', {
    id: 'delivery',
    method: 'GET',
    middleware: [limit],
    handler: async (req: ById, res: Response) => {
      onlyQuery(req, 'country');
      const product = await existing(context, req.params.id);
      const country = queryText(req, 'country', 2).toUpperCase();
      if (!/^[A-Z]{2}$/.test(country))
        throw badRequest('Query parameter "country" must be a code of two letters');
      const quote = await context.delivery.quote(country);
      if (res.headersSent) return;
      if (quote === undefined) throw new HttpError(422, 'NO_DELIVERY', `No carrier delivers to ${country}`);
      res.json({ product: product.id, ...quote });
    },
  });

  router.addRoute('/api/products/:id/stock', {
    id: 'adjust stock',
    method: 'PATCH',
    middleware: [limit, readSmallJson],
    handler: async (req: ById, res: Response) => {
      requireAdmin(req, sessions);
      const { id } = await existing(context, req.params.id);
      const delta = memberInteger(body(req, 'delta'), 'delta', -10_000, 10_000);
      const stock = await catalogue.adjustStock(id, delta);
      if (res.headersSent) return;
      if (stock === undefined) throw new HttpError(409, 'NOT_ENOUGH', 'There is not that much in stock');
      res.json({ id, stock });
    },
  });
}
