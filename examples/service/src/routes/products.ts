import { type Request, Router } from 'express';
import type { Context } from '../context';
import { badRequest, HttpError, notFound } from '../http/errors';
import { body, memberInteger, onlyQuery, queryChoice, queryInteger, queryText } from '../http/input';
import { requestTimeout } from '../http/middleware';
import { currentSession, requireAdmin } from '../http/session';
import { type ProductView, type Query, SORT_ORDERS } from '../services/catalogue';
import { noteViewed } from '../services/sessions';

const MAX_PATIENCE_SECONDS = 60;

function listing(req: Request, text: string): Query {
  return {
    text,
    category: queryText(req, 'category', 40),
    sort: queryChoice(req, 'sort', 'name', SORT_ORDERS),
    page: queryInteger(req, 'page', 1, 1, 10_000),
    pageSize: queryInteger(req, 'pageSize', 10, 1, 100),
  };
}

function existing({ catalogue }: Context, id: string): ProductView {
  const product = catalogue.get(id);
  if (product === undefined) throw notFound(`product "${id}"`);
  return product;
}

/** Long polls have a patience of their own, so they are mounted before the other routes' timeout. */
export function stockWatchRoute(context: Context): Router {
  const router = Router();
  const path = '/products/:id/stock/watch';
  router.use(path, requestTimeout(context.requestTimers, (MAX_PATIENCE_SECONDS + 5) * 1000));
  router.get(path, (req, res) => {
    onlyQuery(req, 'seconds');
    const seconds = queryInteger(req, 'seconds', 30, 1, MAX_PATIENCE_SECONDS);
    const { id } = existing(context, req.params.id);
    const giveUp = context.stockWatch.wait(id, seconds * 1000, (stock) => {
      res.json({ id, changed: stock !== undefined, stock: stock ?? context.catalogue.get(id)?.stock ?? 0 });
    });
    res.once('close', giveUp);
  });
  return router;
}

export function productRoutes(context: Context): Router {
  const { catalogue, sessions } = context;
  const router = Router();

  router.get('/products', (req, res) => {
    onlyQuery(req, 'category', 'sort', 'page', 'pageSize');
    res.json(catalogue.find(listing(req, '')));
  });

  router.get('/search', (req, res) => {
    onlyQuery(req, 'q', 'category', 'sort', 'page', 'pageSize');
    const text = queryText(req, 'q', 100);
    if (text === '') throw badRequest('Query parameter "q" must not be empty');
    res.json(catalogue.find(listing(req, text)));
  });

  router.get('/categories', (_req, res) => {
    res.json({ items: catalogue.categories() });
  });

  router.get('/products/:id', (req, res) => {
    const product = existing(context, req.params.id);
    const session = currentSession(req, sessions);
    if (session !== undefined) noteViewed(session, product.id);
    res.json(product);
  });

  router.get('/products/:id/delivery', async (req, res) => {
    onlyQuery(req, 'country');
    const product = existing(context, req.params.id);
    const country = queryText(req, 'country', 2).toUpperCase();
    if (!/^[A-Z]{2}$/.test(country))
      throw badRequest('Query parameter "country" must be a code of two letters');
    const quote = await context.carrier(country);
    if (res.headersSent) return;
    if (quote === undefined) throw new HttpError(422, 'NO_DELIVERY', `No carrier delivers to ${country}`);
    res.json({ product: product.id, ...quote });
  });

  router.patch('/products/:id/stock', (req, res) => {
    requireAdmin(req, sessions);
    const { id } = existing(context, req.params.id);
    const delta = memberInteger(body(req, 'delta'), 'delta', -10_000, 10_000);
    const stock = catalogue.adjustStock(id, delta);
    if (stock === undefined) throw new HttpError(409, 'NOT_ENOUGH', 'There is not that much in stock');
    res.json({ id, stock });
  });

  return router;
}
