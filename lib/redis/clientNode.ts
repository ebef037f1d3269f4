import { clearTimeout, setTimeout } from 'node:timers';

/** A node of a Cluster is connected within so many milliseconds, or another is taken. */
const PATIENCE = 5000;

/**
 * A client of one server that gets what is published: the client itself, or one of any node of a Cluster, since each
 * of them gets what is published at any other.
 */
export async function nodeOf(client: any): Promise<any> {
  if (typeof client.nodes === 'function') return nodeOfIoredis(client);
  return Array.isArray(client.masters) ? nodeOfNodeRedis(client) : client;
}

function nodeOfIoredis(cluster: any): any {
  // They are known once the cluster is used.
  const nodes: any[] = cluster.nodes('master');
  return pick(nodes.filter(({ status }) => status === 'ready')) ?? pick(nodes) ?? unknown();
}

function nodeOfNodeRedis(cluster: any): any {
  const masters: any[] = cluster.masters;
  const ready = pick(masters.filter(({ client }) => client?.isReady === true));
  if (ready !== undefined) return ready.client;
  const master = pick(masters) ?? unknown();
  return inTime(cluster.nodeClient(master));
}

function pick<T>(some: readonly T[]): T | undefined {
  return some[Math.floor(Math.random() * some.length)];
}

function unknown(): never {
  throw new Error('no node of the Cluster is known, as before it is connected');
}

function inTime<T>(attempt: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no node of the Cluster was connected within ${PATIENCE} ms`));
    const timer = setTimeout(late, PATIENCE).unref();
    attempt.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
