import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const CONNECTIONS = 64;

/**
 * Sends GET requests at an even rate, whether or not the ones before have been answered, so that a server that
 * stands still delays all that come meanwhile. Resolves to the time of each until its answer was complete, in
 * milliseconds, and how many were not answered with 200.
 */
export async function steadyLoad({ url, paths, rate, milliseconds }) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times = [];
  let failed = 0;
  const ask = async (path) => {
    const start = performance.now();
    const sent = request(url + path, { agent }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    times.push(performance.now() - start);
    failed += response.statusCode === 200 ? 0 : 1;
  };
  const asked = [];
  const begin = performance.now();
  for (let elapsed = 0; elapsed < milliseconds; elapsed = performance.now() - begin) {
    while (asked.length < (elapsed * rate) / 1000) {
      asked.push(ask(paths[asked.length % paths.length]));
    }
    await pause(1);
  }
  await Promise.all(asked);
  agent.destroy();
  return { times, failed };
}
