import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import { type Html, html } from '../http/html';
import { onlyQuery, queryText } from '../http/input';
import type { OptimizedRouter } from '../lib/utilities/routing/router';
import type { ProductView } from '../services/catalogue';

/** The numbers of the page, by their path in /api/metrics: public/live.js keeps them up to date. */
function tiles({ catalogue, database, metrics }: Context): Html[] {
  const { requests, inFlight, latencyMs } = metrics.snapshot();
  const tile = (path: string, label: string, value: number | null) =>
    html`<div><dt>${label}</dt><dd data-metric="${path}">${value ?? '–'}</dd></div>`;
  return [
    tile('requests', 'requests', requests),
    tile('inFlight', 'in flight', inFlight),
    tile('latencyMs.p50', 'p50, ms', latencyMs.p50),
    tile('latencyMs.p99', 'p99, ms', latencyMs.p99),
    tile('products', 'products', catalogue.size),
    tile('database.total', 'connections', database.state().total),
  ];
}

function card({ id, name, category, description, priceText, availability, stock }: ProductView): Html {
  return html`<li>
      <p class="category">${category}</p>
      <h2><a href="/api/products/${encodeURIComponent(id)}">${name}</a></h2>
      <p>${description}</p>
      <p class="foot"><strong>${priceText}</strong> <span class="${availability.replace(' ', '-')}">${availability} · ${stock}</span></p>
    </li>`;
}

function page(text: string, products: ProductView[], numbers: Html[]): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Catalogue</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/assets/page.css">
    <script src="/assets/live.js" defer></script>
  </head>
  <body>
    <header>
      <h1>Catalogue</h1>
      <form action="/" role="search">
        <input type="search" name="q" value="${text}" maxlength="100" placeholder="Search products" aria-label="Search products">
        <button>Search</button>
      </form>
    </header>
    <dl>${numbers}</dl>
    <main>
      <p>${products.length === 1 ? '1 product' : `${products.length} products`}${text === '' ? '' : ` for “${text}”`}</p>
      <ul>${products.map(card)}</ul>
    </main>
    <footer>
      <a href="/api/products">products</a> <a href="/api/categories">categories</a>
      <a href="/api/metrics">metrics</a> <a href="/health">health</a> <a href="/ready">ready</a>
    </footer>
  </body>
</html>
`;
}

/** The catalogue for people. */
export function addPageRoutes(router: OptimizedRouter, context: Context, limit: RequestHandler): void {
  router.addRoute('/', {
    id: 'index page',
    method: 'GET',
    middleware: [limit],
    handler: async (req: Request, res: Response) => {
      onlyQuery(req, 'q');
      const text = queryText(req, 'q', 100);
      const { items } = await context.catalogue.search({
        text,
        category: '',
        sort: 'name',
        page: 1,
        pageSize: 100,
      });
      if (!res.headersSent) res.type('html').send(page(text, items, tiles(context)).text);
    },
  });
}
