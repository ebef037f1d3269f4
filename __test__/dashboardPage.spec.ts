import type { Page } from 'playwright-core';
import { useBrowser } from './support/browser';
import { DashboardProcess } from './support/dashboardProcess';
import { eventually } from './support/server';

const axe = require('axe-core') as { source: string };

// Of the browser, where the functions run that a page is given.
declare const document: any;
declare const window: any;
declare const getComputedStyle: any;

const browse = useBrowser();
const PATIENCE = { timeout: 30_000 };
let service: DashboardProcess;
beforeAll(async () => {
  service = await DashboardProcess.start();
});
afterAll(() => service?.stop());

const SECTIONS = [
  'Event loop',
  'Memory',
  'Routes',
  'Rate limiters',
  'Circuit breakers',
  'Caches',
  'Shared caches',
  'Tiered caches',
  'Timers',
  'JSON pool',
  'Connection pools',
  'Logger',
  'Lifecycle and health',
  'Scaling',
];

/** Resolves once the page has all sections, and rates in them, which takes two updates. */
async function shown(page: Page): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor(PATIENCE);
  await page.waitForFunction(
    (many) =>
      document.querySelectorAll('section').length === many &&
      /[1-9][\d.]*\/s/.test(document.getElementById('routes')!.textContent!),
    SECTIONS.length,
    PATIENCE,
  );
}

async function open(options?: Parameters<typeof browse>[0]) {
  const opened = await browse(options);
  await opened.page.goto(service.url);
  await shown(opened.page);
  return opened;
}

/** A cell by its table's caption, its row's first cell and its column's title. */
function cell(page: Page, caption: string, row: string, column: string): Promise<string | undefined> {
  return page.evaluate(
    ([caption, row, column]) => {
      const table = [...document.querySelectorAll('table')].find(
        (one) => one.caption!.textContent === caption,
      )!;
      const titles = [...table.tHead!.rows[0]!.cells].map((header) => header.textContent);
      const found = [...table.tBodies[0]!.rows].find(({ cells }) => cells[0]!.textContent === row);
      return found?.cells[titles.indexOf(column!)]?.textContent ?? undefined;
    },
    [caption, row, column],
  );
}

const numberOf = (text: string | undefined) => Number(text?.replace(/[^\d.]/g, ''));

test('shows all that the service uses, asks nobody else, and the browser has nothing to complain of', async () => {
  const { page, conduct } = await open();
  expect(await page.locator('section h2').allTextContents()).toEqual(SECTIONS);
  expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual(SECTIONS);
  expect(await page.locator('#facts').textContent()).toContain(String(service.pid));
  // Each figure of a chart and a table.
  expect(await cell(page, 'Breakers by name', 'payments', 'State')).toBe('open');
  expect(await cell(page, 'Breakers by name', 'search', 'State')).toBe('closed');
  expect(await cell(page, 'Tiered caches by name', 'unnamed', 'Redis')).toBe('down');
  expect(await cell(page, 'Lifecycles', 'unnamed', 'State')).toBe('ready');
  expect(await cell(page, 'Caches by name', 'sessions', 'Limit')).toBe('200');
  expect(await cell(page, 'Pools by name', 'orders', 'Most')).toBe('3');
  expect(await cell(page, 'Fleets', 'web', 'Capacity of one')).toBe('100');
  for (const [caption, row, column] of [
    ['Limiters by name', 'unnamed', 'Denied'],
    ['Groups', 'imports', 'Pending'],
    ['Pools', 'unnamed', 'Calls'],
    ['Shared caches by name', 'catalogue', 'Hit rate'],
    ['Heaps', '0', 'Used'],
  ] as const)
    await eventually(async () => numberOf(await cell(page, caption, row, column)) > 0);
  expect(await page.locator('#event-loop tbody tr').count()).toBe(2);
  expect(await page.locator('#logger tbody th').allTextContents()).toEqual([
    expect.stringMatching(/app\.log$/),
  ]);
  expect(await page.locator('section:not(:has(figure:visible path.line[d*="M"]))').count()).toBe(0);
  expect(conduct.complaints).toEqual([]);
  expect([...conduct.origins]).toEqual([new URL(service.url).origin]);
});

test('figures change as updates come, in text, in tables and in charts', async () => {
  const { page } = await open();
  const read = () =>
    page.evaluate(() => {
      const chart = document.querySelector('#routes svg.plot')!;
      return {
        facts: document.getElementById('facts')!.textContent,
        route: document.querySelector('#routes tbody tr td:nth-child(4)')!.textContent,
        line: chart.querySelector('.line')!.getAttribute('d'),
        label: document.querySelector('#event-loop svg.plot')!.getAttribute('aria-label'),
      };
    });
  const before = await read();
  await page.waitForFunction(
    (was) => {
      const chart = document.querySelector('#routes svg.plot')!;
      return (
        document.getElementById('facts')!.textContent !== was.facts &&
        document.querySelector('#routes tbody tr td:nth-child(4)')!.textContent !== was.route &&
        chart.querySelector('.line')!.getAttribute('d') !== was.line &&
        document.querySelector('#event-loop svg.plot')!.getAttribute('aria-label') !== was.label
      );
    },
    before,
    PATIENCE,
  );
  const after = await read();
  expect(numberOf(after.route!)).toBeGreaterThan(numberOf(before.route!));
});

test('each chart says as text what it shows', async () => {
  const { page } = await open();
  const charts = await page.evaluate(() =>
    [...document.querySelectorAll('figure:not([hidden])')].map((figure) => ({
      role: figure.querySelector('svg.plot')!.getAttribute('role'),
      label: figure.querySelector('svg.plot')!.getAttribute('aria-label')!,
      title: figure.querySelector('h3')!.textContent!,
      legend: [...figure.querySelectorAll('li')].map(
        (item) => `${item.querySelector('span')!.textContent} ${item.querySelector('b')!.textContent}`,
      ),
    })),
  );
  expect(charts.length).toBeGreaterThan(25);
  for (const { role, label, title, legend } of charts) {
    expect(role).toBe('img');
    expect(label).toBe(`${title} over the last three minutes. Now: ${legend.join(', ')}`);
  }
});

test('a name that is markup does nothing', async () => {
  const { page, conduct } = await open();
  const name = '<img src=x onerror="document.title=\'hacked\'"><style>*{display:none}</style>';
  expect(await cell(page, 'Caches by name', name, 'Limit')).toBe('10');
  expect(await page.title()).toBe('keelson dashboard');
  expect(await page.locator('img, body style').count()).toBe(0);
  expect(await page.locator('#caches').isVisible()).toBe(true);
  expect(conduct.complaints).toEqual([]);
});

/** What axe-core finds, which has to have looked at contrasts at least. */
async function faultsOf(page: Page): Promise<unknown[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() =>
    window.axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  expect(passes.map(({ id }: any) => id)).toContain('color-contrast');
  return violations.map(({ id, nodes }: any) => [id, nodes.map(({ html }: any) => html)]);
}

const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1440, height: 900 } };

describe.each(['phone', 'desktop'] as const)('on a %s', (size) => {
  test.each(['light', 'dark'] as const)(
    'in %s colours axe finds nothing, and nothing is too wide',
    async (colorScheme) => {
      const { page, conduct } = await open({ viewport: SIZES[size], colorScheme });
      const { scheme, overflow, tables } = await page.evaluate(() => ({
        scheme: getComputedStyle(document.body).backgroundColor,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        tables: [...document.querySelectorAll('.scroll')].map((one) => one.getBoundingClientRect().right),
      }));
      const lightness = scheme.match(/\d+/g)!.map(Number);
      expect(Math.max(...lightness) < 60).toBe(colorScheme === 'dark');
      expect(overflow).toBeLessThanOrEqual(0);
      expect(Math.max(...tables)).toBeLessThanOrEqual(SIZES[size].width);
      // axe takes its time, and several times as much while the page changes under it.
      await page.getByRole('button', { name: 'Pause' }).click();
      expect(await faultsOf(page)).toEqual([]);
      expect(conduct.complaints).toEqual([]);
    },
  );
});

describe('the token', () => {
  test('leaves the address bar at once, stays for a reload, and goes to the server in a header alone', async () => {
    const { page } = await browse();
    const urls: string[] = [];
    page.on('request', (request) =>
      urls.push(request.url() + JSON.stringify(request.headers().referer ?? '')),
    );
    await page.goto(service.url);
    await shown(page);
    expect(new URL(page.url()).hash).toBe('');
    await page.reload();
    await shown(page);
    expect(urls.filter((url) => url.includes('token='))).toEqual([]);
    expect(urls.filter((url) => url.includes('/events')).length).toBeGreaterThanOrEqual(2);
  });

  test('is asked for without one, said to be wrong, and taken', async () => {
    const { page } = await browse();
    const url = new URL(service.url);
    url.hash = '';
    await page.goto(url.href);
    await page.getByText('Token needed').waitFor(PATIENCE);
    expect(await page.locator('#refusal').textContent()).toContain('behind a token');
    await page.getByLabel('Token').fill('this one is wrong');
    await page.getByRole('button', { name: 'Show the figures' }).click();
    await page.getByText('This token is wrong').waitFor(PATIENCE);
    expect(await page.locator('section').count()).toBe(0);
    expect(await faultsOf(page)).toEqual([]);
    await page
      .getByLabel('Token')
      .fill(new URLSearchParams(new URL(service.url).hash.slice(1)).get('token')!);
    await page.keyboard.press('Enter');
    await shown(page);
    expect(await page.locator('#ask').isVisible()).toBe(false);
  });
});

describe('the connection', () => {
  test('is lost when the service ends, which waits for no page, and found again in the next one', async () => {
    const first = await DashboardProcess.start();
    const { page } = await browse();
    await page.goto(first.url);
    await shown(page);
    expect(await first.stop()).toBe(0);
    await page.getByText('Connection lost').waitFor(PATIENCE);
    const second = await DashboardProcess.start({ port: first.port });
    try {
      await page.getByText('Live', { exact: true }).waitFor(PATIENCE);
      await page.locator('#facts', { hasText: String(second.pid) }).waitFor(PATIENCE);
      await shown(page);
    } finally {
      await second.stop();
    }
  });

  test('is given up while it is paused, or nobody sees the page', async () => {
    const { page } = await open();
    const stopped = () =>
      page.waitForEvent('requestfailed', { predicate: (one) => one.url().endsWith('/events') });
    const started = () => page.waitForRequest((one) => one.url().endsWith('/events'));
    const pause = page.getByRole('button', { name: 'Pause' });
    await Promise.all([stopped(), pause.click()]);
    expect(await pause.getAttribute('aria-pressed')).toBe('true');
    expect(await page.getByRole('status').textContent()).toBe('Paused');
    await Promise.all([started(), pause.click()]);
    await page.getByText('Live', { exact: true }).waitFor(PATIENCE);
    const setHidden = (isHidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    await Promise.all([stopped(), setHidden(true)]);
    await Promise.all([started(), setHidden(false)]);
    await page.getByText('Live', { exact: true }).waitFor(PATIENCE);
  });
});

describe('tables', () => {
  test('sort by what is chosen with the keyboard, either way', async () => {
    const { page } = await open();
    const button = page.locator('#routes').getByRole('button', { name: 'Route', exact: true });
    const names = () => page.locator('#routes tbody th').allTextContents();
    await button.focus();
    await page.keyboard.press('Enter');
    const ascending = await names();
    expect(ascending).toEqual(ascending.toSorted());
    expect(await page.locator('#routes th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
    await page.keyboard.press('Enter');
    const descending = await names();
    expect(descending).toEqual(descending.toSorted().reverse());
    expect(await page.locator('#routes th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
  });

  test('show twenty of many routes unless all are asked for', async () => {
    const { page } = await open();
    const rows = page.locator('#routes tbody tr');
    expect(await rows.count()).toBe(20);
    await page.getByRole('button', { name: 'Show all 30' }).click();
    expect(await rows.count()).toBe(30);
    await page.getByRole('button', { name: 'Show only 20' }).click();
    expect(await rows.count()).toBe(20);
  });
});

test('rates, shares and percentiles are those of the window', async () => {
  const { page } = await open();
  // Durations of 10 ms each up to 1 s, which the newest update has beyond those of six seconds before.
  const bounds = [0.1, 0.25, 0.5, 1];
  const histogram = (...durations: number[]) => [
    durations.length,
    0,
    ...bounds.map((le) => durations.filter((duration) => duration <= le).length),
  ];
  const old = [0.6, 0.7, 0.9, 2];
  const recent = Array.from({ length: 100 }, (_, i) => (i + 1) / 100);
  const update = (uptime: number, durations: number[], hits: number, misses: number) => ({
    uptime,
    families: [
      { name: 'durations', labels: ['name'], bounds, points: [[['a'], histogram(...durations)]] },
      {
        name: 'lookups',
        labels: ['name', 'result'],
        points: [
          [['a', 'hit'], hits],
          [['b', 'hit'], 0],
          [['a', 'miss'], misses],
        ],
      },
    ],
  });
  const messages = [
    update(10, [], 0, 0),
    update(12, old, 5, 5),
    update(14, [...old, ...recent.slice(0, 50)], 20, 6),
    update(17.5, [...old, ...recent], 38, 16),
  ];
  const figures = await page.evaluateHandle("import('./figures.js').then(({ Figures }) => new Figures())");
  const found = await page.evaluate(
    ([figures, messages]: any) => {
      let first: unknown = 'none';
      for (const message of messages) {
        figures.add(message);
        if (message === messages[0]) first = figures.rate('lookups') ?? 'none';
      }
      const orNone = (value: unknown) => value ?? 'none';
      return {
        first,
        rate: figures.rate('lookups', { name: 'a', result: 'hit' }),
        all: figures.rate('lookups'),
        share: figures.share('lookups', { name: 'a', result: 'hit' }, { name: 'a' }),
        none: orNone(figures.share('lookups', { name: 'b', result: 'hit' }, { name: 'b' })),
        value: figures.value('lookups', { name: 'a' }),
        max: figures.max('lookups'),
        quantiles: [0.05, 0.5, 0.99].map((q) => figures.quantile('durations', q, { name: 'a' })),
        unknown: [figures.value('x'), figures.rate('x'), figures.quantile('x', 0.5)].map(orNone),
      };
    },
    [figures, messages],
  );
  // Evenly spread durations have each percentile where a bucket is divided evenly.
  const expected = [0.05, 0.5, 0.99];
  expect(found.first).toBe('none');
  // From 12 on, 5.5 s before the newest, since 14 is less than 5 s before.
  expect(found.rate).toBeCloseTo(33 / 5.5, 9);
  expect(found.all).toBeCloseTo(44 / 5.5, 9);
  expect(found.share).toBeCloseTo(33 / 44, 9);
  expect([found.none, found.value, found.max]).toEqual(['none', 54, 38]);
  for (const [place, quantile] of found.quantiles.entries())
    expect(quantile).toBeCloseTo(expected[place]!, 6);
  expect(found.unknown).toEqual(['none', 'none', 'none']);
});
