import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { findAutocannon } from '../dist/cli/load/autocannon';
import { Generators } from '../dist/cli/load/generators';
import type { Percentiles } from '../dist/cli/load/histogram';
import type { Order } from '../dist/cli/load/send';
import { certificateFiles } from './support/certificate';
import { nobody, serveHttp, serveRaw, useLoadServers } from './support/loadServer';
import { evaluate } from './support/process';

useLoadServers();

let one: Generators;
let three: Generators;
beforeAll(() => {
  one = new Generators(findAutocannon(), 1);
  three = new Generators(findAutocannon(), 3);
});
afterAll(() => {
  one.close();
  three.close();
});

function order(url: string, changes: Partial<Order> = {}): Order {
  const request = { url, method: 'GET', headers: {}, body: undefined };
  return { request, requests: 60, rate: 200, connections: 10, timeout: 10_000, grace: 5_000, ...changes };
}

/** What every step should look like: nothing is left out, nothing is made up. */
const allAnswered = (requests: number) => ({
  requests,
  inTime: requests,
  statuses: { 200: requests },
  timeouts: 0,
  lost: 0,
});

describe('requests are sent when they are due', () => {
  test('one by one, at a constant rate', async () => {
    const arrivals: number[] = [];
    const url = await serveHttp((_, response) => {
      arrivals.push(performance.now());
      response.end();
    });
    const measured = await one.send(order(url, { requests: 100, rate: 100 }));
    expect(measured).toMatchObject(allAnswered(100));
    expect(arrivals).toHaveLength(100);
    // The last is due 990 ms after the first, which may itself be late.
    expect((arrivals.at(-1) as number) - (arrivals[0] as number)).toBeGreaterThan(700);
    const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] as number));
    const median = gaps.sort((a, b) => a - b)[49];
    expect(median).toBeGreaterThan(4);
    expect(median).toBeLessThan(20);
  });

  // An open model: with a closed one the service would have to answer before it gets more.
  test('whether those before were answered or not', async () => {
    const held: (() => void)[] = [];
    const url = await serveHttp((_, response) => {
      held.push(() => response.end());
      if (held.length === 50) for (const answer of held) answer();
    });
    const measured = await one.send(order(url, { requests: 50, rate: 100, connections: 50 }));
    expect(measured).toMatchObject({ ...allAnswered(50), queued: 0 });
  });

  test('by several processes, which share them', async () => {
    let seen = 0;
    const url = await serveHttp((_, response) => {
      seen++;
      response.end();
    });
    const told: number[] = [];
    const measured = await three.send(order(url, { requests: 301, rate: 300 }), ({ settled }) =>
      told.push(settled),
    );
    expect(measured).toMatchObject(allAnswered(301));
    expect(seen).toBe(301);
    expect(told.length).toBeGreaterThan(0);
    expect(Math.max(...told)).toBeLessThanOrEqual(301);
    expect(measured.utilization).toBeGreaterThan(0);
    expect(measured.utilization).toBeLessThanOrEqual(1);
  });
});

// The service stalls for a second, which it tells nobody. Of 300 requests at 100 a second the 100 that are due in it are
// answered when it ends: the n-th of them after 1000 - 10 n ms. A closed model sends two in this time, on two
// connections, and leaves 98 out.
test('a stall shows in the latencies, as a model of it has them', async () => {
  let requests = 0;
  let stall: Promise<void> | undefined;
  const url = await serveHttp(async (_, response) => {
    if (++requests === 100) stall = new Promise((resolve) => setTimeout(resolve, 1_000));
    await stall;
    response.end();
  });
  const measured = await one.send(order(url, { requests: 300, rate: 100, connections: 2 }));
  expect(measured).toMatchObject(allAnswered(300));

  const model = Array.from({ length: 300 }, (_, n) => (n < 99 || n >= 199 ? 0 : 1_000 - 10 * (n - 99)));
  model.sort((a, b) => a - b);
  const { latency, uncorrected, queued } = measured;
  for (const [name, percent] of [
    ['p90', 90],
    ['p99', 99],
  ] as const) {
    const expected = model[Math.ceil((300 * percent) / 100) - 1] as number;
    // A busy machine makes a stall longer, and no shorter.
    expect(latency?.[name]).toBeGreaterThan(expected - 30);
    expect(latency?.[name]).toBeLessThan(expected + 500);
  }
  expect(uncorrected?.p99).toBeLessThan(model[296]! / 2);
  expect(uncorrected?.max).toBeGreaterThan(950);
  expect(queued).toBeGreaterThan(90);
});

// Half a second in which a generator is held up: 50 of its 100 requests leave late, and none of them is the service's fault.
test('what makes a generator late shows in its lateness', async () => {
  const url = await serveHttp((_, response) => response.end());
  const found = await evaluate<{ lateness: Percentiles; utilization: number }>(`
    const { findAutocannon, loadAutocannon, loadHdr } = require('./dist/cli/load/autocannon.js');
    const { send } = require('./dist/cli/load/send.js');
    const { Latencies } = require('./dist/cli/load/histogram.js');
    const path = findAutocannon();
    const hdr = loadHdr(path);
    const holdUp = () => { const end = performance.now() + 500; while (performance.now() < end); };
    let held = false;
    const order = ${JSON.stringify(order(url, { requests: 100, rate: 100 }))};
    send(loadAutocannon(path), hdr, order, () => held ||= (holdUp(), true)).then((sent) => {
      const lateness = new Latencies(hdr);
      lateness.merge(sent.lateness);
      console.log(JSON.stringify({ lateness: lateness.percentiles(), utilization: sent.utilization }));
    });`);
  expect(found.lateness.p99).toBeGreaterThan(450);
  expect(found.lateness.p90).toBeGreaterThan(350);
  expect(found.utilization).toBeGreaterThan(0.3);
});

describe('what becomes of a request', () => {
  test('an answer that does not come in time', async () => {
    let requests = 0;
    const url = await serveHttp((_, response) => {
      if (++requests % 20 !== 0) response.end();
    });
    const measured = await one.send(order(url, { timeout: 1_000 }));
    expect(measured).toMatchObject({ requests: 60, statuses: { 200: 57 }, timeouts: 3, lost: 0 });
    // Who waits in vain has waited for the timeout.
    expect(measured.latency?.p99).toBeGreaterThan(990);
  });

  test('a service that answers nothing: those that wait for a connection have their timeouts too', async () => {
    const url = await serveHttp(() => {});
    const measured = await one.send(order(url, { timeout: 1_000, connections: 1 }));
    expect(measured).toMatchObject({ requests: 60, inTime: 0, statuses: {}, timeouts: 60, lost: 0 });
  });

  test('a connection that ends in the middle of an answer', async () => {
    let requests = 0;
    const url = await serveHttp((_, response) => {
      if (++requests % 10 !== 0) {
        response.end('whole');
        return;
      }
      response.writeHead(200, { 'content-length': 1000 });
      response.write('part', () => response.destroy());
    });
    expect(await one.send(order(url))).toMatchObject({
      requests: 60,
      statuses: { 200: 54 },
      timeouts: 0,
      lost: 6,
    });
  });

  test('nobody listens', async () => {
    const url = await nobody();
    expect(await one.send(order(url))).toMatchObject({ requests: 60, statuses: {}, lost: 60, latency: null });
  });

  test('answers by their status', async () => {
    let requests = 0;
    const url = await serveHttp((_, response) => {
      response.statusCode = [200, 404, 429, 503][requests++ % 4] as number;
      response.end();
    });
    expect(await one.send(order(url))).toMatchObject({
      inTime: 30,
      statuses: { 200: 15, 404: 15, 429: 15, 503: 15 },
    });
  });
});

describe('every request is answered', () => {
  test('where each answer closes its connection', async () => {
    const url = await serveHttp((_, response) => {
      response.setHeader('connection', 'close').end('x');
    });
    expect(await one.send(order(url))).toMatchObject(allAnswered(60));
  });

  test('where a server announces that it closes, and leaves it to the client', async () => {
    const used = new Set<object>();
    const url = await serveRaw((socket) => {
      if (used.has(socket)) socket.destroy();
      used.add(socket);
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    });
    expect(await one.send(order(url))).toMatchObject(allAnswered(60));
  });

  test('where a body ends with its connection', async () => {
    const url = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody'));
    expect(await one.send(order(url))).toMatchObject(allAnswered(60));
  });

  test('where 1xx announce answers', async () => {
    const url = await serveRaw((socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    expect(await one.send(order(url))).toMatchObject(allAnswered(60));
  });

  test('where idle connections are told off and closed', async () => {
    let connections = 0;
    const url = await serveRaw(
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
      (socket) => {
        if (++connections <= 10) socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
      },
    );
    const { requests, statuses, lost } = await one.send(order(url, { requests: 100, rate: 100 }));
    expect(connections).toBeGreaterThan(10);
    // One that was sent just before its connection was closed is lost, as it would be for anybody.
    expect(lost).toBeLessThanOrEqual(10);
    expect(statuses[200]! + (statuses[408] ?? 0) + lost).toBe(requests);
  });

  test('over TLS, whose certificate nobody knows', async () => {
    const files = certificateFiles();
    const [cert, key] = [readFileSync(files.cert), readFileSync(files.key)];
    const server = createTlsServer({ cert, key }, (_, response) => response.end('x'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await one.send(order(url))).toMatchObject(allAnswered(60));
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      files.remove();
    }
  });

  test('with its method, headers and body', async () => {
    const seen = new Set<string>();
    const url = await serveHttp(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method, url: path, headers } = request;
      seen.add([method, path, headers['x-tenant'], Buffer.concat(chunks).toString('hex')].join(' '));
      response.end();
    });
    const body = Buffer.from([0, 255, 128, 13, 10]);
    const request = { url: `${url}/a?b=c`, method: 'PUT', headers: { 'x-tenant': 'seven' }, body };
    expect(await one.send(order(url, { request, requests: 20 }))).toMatchObject(allAnswered(20));
    expect([...seen]).toEqual(['PUT /a?b=c seven 00ff800d0a']);
  });
});
