import servers from '../../__test__/support/servers/index.js';
import { prepareServers } from '../../scripts/servers.mjs';

/** Starts a PostgreSQL for this process alone; it ends with it. */
export async function startPostgres(settings) {
  prepareServers();
  const server = servers.createPostgres(settings);
  await server.start();
  return server;
}
