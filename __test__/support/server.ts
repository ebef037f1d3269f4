/** The first start of a version initialises its data folder, which takes a busy machine a while. */
const START_LIMIT = 120_000;

/** A server, or several that belong together. */
interface Startable {
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts a server before the tests of a file, or of a describe block, and removes it after them. */
export function useServer<Server extends Startable>(server: Server): Server {
  beforeAll(() => server.start(), START_LIMIT);
  afterAll(() => server.remove(), START_LIMIT);
  return server;
}

/** Resolves once `condition` holds, which is asked every few milliseconds; rejects after `limit` milliseconds. */
export async function eventually(condition: () => boolean | Promise<boolean>, limit = 30_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${limit} ms in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
