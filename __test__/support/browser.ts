import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const { program } = require('./servers/programs.js') as { program(name: string): string };

/** What a page has done that it should not. */
export interface Conduct {
  /** Errors and warnings of the console, with those of the Content-Security-Policy, and what was thrown. */
  readonly complaints: string[];
  /** Origins of all requests. */
  readonly origins: Set<string>;
}

/** A Chromium for the tests of a file; each page is of a profile of its own, and closed after its test. */
export function useBrowser(): (options?: BrowserContextOptions) => Promise<{ page: Page; conduct: Conduct }> {
  let browser: Browser;
  const pages: Page[] = [];
  beforeAll(async () => {
    // Root, as in containers, has no sandbox.
    browser = await chromium.launch({ executablePath: program('chromium'), args: ['--no-sandbox'] });
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
  });
  afterAll(() => browser?.close());
  return async (options = {}) => {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    pages.push(page);
    const conduct: Conduct = { complaints: [], origins: new Set() };
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') conduct.complaints.push(message.text());
    });
    page.on('pageerror', (error) => conduct.complaints.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) conduct.origins.add(new URL(request.url()).origin);
    });
    return { page, conduct };
  };
}
