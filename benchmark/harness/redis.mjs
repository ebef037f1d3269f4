import servers from '../../__test__/support/servers/index.js';
import { prepareServers } from '../../scripts/servers.mjs';

const SLOTS = 16_384;

/** Starts a Redis for this process alone; it ends with it. */
export async function startRedis(settings) {
  prepareServers();
  const server = servers.createRedis(settings);
  await server.start();
  return server;
}

/** Starts a Redis that is a Cluster by itself: it serves all slots, and takes no script with keys of two. */
export async function startClusterNode() {
  // A node that has never met another one does not know its own address.
  const server = await startRedis({ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' });
  await server.command('CLUSTER', 'ADDSLOTS', ...Array(SLOTS).keys());
  while (!/cluster_state:ok/.test(await server.command('CLUSTER', 'INFO'))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return server;
}
