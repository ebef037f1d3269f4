import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, createServer, type RequestListener, type ServerResponse } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2,
  createSecureServer as createSecureHttp2,
} from 'node:http2';
import { createServer as createSecure, request as requestSecure, Agent as SecureAgent } from 'node:https';
import { createServer as createNet, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Lifecycle, type LifecycleOptions, type LifecycleServerOptions } from 'keelson';
import { certificateFiles } from './support/certificate';
import { runNode, temporaryFolder } from './support/process';
import { eventually } from './support/server';
import { GOING_AWAY, get, HANDSHAKE, listen, SWITCH, WEBSOCKET_ID, wire } from './support/wires';

const agents: Agent[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

/** A server whose answers wait for the test. */
async function held(options: LifecycleOptions = {}, serverOptions: LifecycleServerOptions = {}) {
  const waiting: ServerResponse[] = [];
  return { waiting, ...(await serving((_req, res) => void waiting.push(res), options, serverOptions)) };
}

async function serving(
  listener: RequestListener,
  options: LifecycleOptions = {},
  serverOptions: LifecycleServerOptions = {},
) {
  const server = createServer(listener);
  const one = new Lifecycle(options);
  one.server(server, serverOptions);
  return { server, one, port: await listen(server) };
}

describe('http', () => {
  test('what is under way is answered, and says that the connection closes', async () => {
    const { one, port, waiting, server } = await held();
    const agent = keepAlive();
    const answer = get(port, '/', { agent });
    await eventually(() => waiting.length === 1);
    expect(one.getStats()).toMatchObject({ requests: 1, connections: 1 });
    const shutdown = one.shutdown();
    await eventually(() => !server.listening);
    await expect(get(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    waiting[0]!.end('done');
    expect(await answer).toMatchObject({ status: 200, body: 'done', headers: { connection: 'close' } });
    const report = await shutdown;
    expect(report.isClean).toBe(true);
    expect(report.resources).toMatchObject([{ name: 'server', phase: 'requests', state: 'stopped' }]);
    expect(one.getStats()).toMatchObject({ requests: 0, connections: 0 });
  });

  test('during the delay new connections and requests are served, and told to close', async () => {
    const { one, port } = await serving((_req, res) => void res.end('served'), { readinessDelay: 400 });
    const agent = keepAlive();
    const before = await get(port, '/', { agent });
    const shutdown = one.shutdown();
    const kept = await get(port, '/', { agent });
    const fresh = await get(port, '/', { agent: keepAlive() });
    expect([before, kept, fresh].map(({ headers }) => headers.connection)).toEqual([
      'keep-alive',
      'close',
      'close',
    ]);
    expect(fresh.body).toBe('served');
    expect((await shutdown).isClean).toBe(true);
  });

  test('idle connections are closed at once', async () => {
    const { one, port, server } = await serving((_req, res) => void res.end(), {}, { grace: 30_000 });
    const idle = await wire(port);
    idle.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.until('HTTP/1.1 200');
    const report = await one.shutdown();
    await idle.ended;
    expect(report).toMatchObject({ isClean: true, cutOff: {} });
    expect(report.ms).toBeLessThan(10_000);
    expect(server.listening).toBe(false);
  });

  test('a connection that was just made may still send its request', async () => {
    const { one, port, server } = await serving((_req, res) => void res.end('late'), {}, { grace: 30_000 });
    const fresh = await wire(port);
    await eventually(() => one.getStats().connections === 1);
    const shutdown = one.shutdown();
    await eventually(() => !server.listening);
    fresh.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await fresh.ended;
    expect(String(fresh.bytes())).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n.*late/s);
    expect(await shutdown).toMatchObject({ isClean: true });
  });

  test('a connection that is in the system’s queue when accepting ends is served', async () => {
    const { one, port } = await serving((_req, res) => void res.end('served'));
    const { folder, remove } = temporaryFolder();
    const mark = join(folder, 'connected');
    const child = runNode([
      '-e',
      `const socket = require('node:net').connect(${port}, '127.0.0.1', () => {
         socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
         require('node:fs').writeFileSync(${JSON.stringify(mark)}, '');
       });
       socket.pipe(process.stdout);`,
    ]);
    // Nothing is accepted meanwhile.
    while (!existsSync(mark));
    const report = await one.shutdown();
    expect((await child).stdout).toContain('served');
    expect(report.isClean).toBe(true);
    remove();
  });

  test('a request of which a part has come on a kept connection is answered', async () => {
    const { one, port, server } = await serving((req, res) => void res.end(req.url), {}, { grace: 30_000 });
    const client = await wire(port);
    client.socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('/first');
    const sockets: Socket[] = [];
    server.once('request', (req) => sockets.push(req.socket));
    client.socket.write('GET /second HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('/second');
    const { bytesRead } = sockets[0]!;
    client.socket.write('GET /third HTTP/1.1\r\nHo');
    await eventually(() => sockets[0]!.bytesRead > bytesRead);
    const shutdown = one.shutdown();
    await eventually(() => !server.listening);
    client.socket.write('st: x\r\n\r\n');
    await client.ended;
    expect(String(client.bytes())).toMatch(/Connection: close\r\n.*\/third/s);
    expect(await shutdown).toMatchObject({ isClean: true });
  });

  test('idle connections of before its registration are closed after the grace', async () => {
    const server = createServer((_req, res) => void res.end());
    const idle = await wire(await listen(server));
    idle.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.until('HTTP/1.1 200');
    const one = new Lifecycle();
    one.server(server, { grace: 20 });
    const report = await one.shutdown();
    expect(report).toMatchObject({ isClean: true });
    expect(report.ms).toBeLessThan(4_000);
  });

  test('one that sends nothing is destroyed after the grace, which cuts off nothing', async () => {
    const { one, port } = await serving((_req, res) => void res.end(), {}, { grace: 20 });
    const silent = await wire(port);
    const slow = await wire(port);
    slow.socket.write('GET / HTTP/1.1\r\nHo');
    await eventually(() => one.getStats().connections === 2);
    const report = await one.shutdown();
    await Promise.all([silent.ended, slow.ended]);
    expect(report).toMatchObject({ isClean: true, cutOff: {} });
  });

  test('an answer that has begun before ends its connection all the same', async () => {
    const { one, port, waiting, server } = await held({}, { grace: 30_000 });
    const answer = get(port, '/', { agent: keepAlive() });
    await eventually(() => waiting.length === 1);
    waiting[0]!.write('begun, ');
    const shutdown = one.shutdown();
    await eventually(() => !server.listening);
    waiting[0]!.end('done');
    // Node's own 5 s of keep-alive would be over by the budget of 10 s: it ends because nothing is under way.
    expect(await answer).toMatchObject({ body: 'begun, done', headers: { connection: 'keep-alive' } });
    const report = await shutdown;
    expect(report.isClean).toBe(true);
    expect(report.ms).toBeLessThan(4_000);
  });

  test('what was pipelined is answered in whole', async () => {
    const { one, port, waiting } = await held();
    const client = await wire(port);
    client.socket.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => waiting.length === 2);
    const shutdown = one.shutdown();
    client.socket.write('GET /3 HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => waiting.length === 3);
    for (const res of waiting) res.end(`answer to ${res.req.url}.`);
    await client.ended;
    const text = String(client.bytes());
    expect(text.match(/answer to \/\d\./g)).toEqual(['answer to /1.', 'answer to /2.', 'answer to /3.']);
    // Where nothing is said, as of the second, HTTP/1.1 keeps a connection.
    expect(text.match(/^Connection: .*/gm)).toEqual(['Connection: keep-alive', 'Connection: close']);
    expect((await shutdown).isClean).toBe(true);
  });

  test('what is left when the time is over is cut off and counted', async () => {
    const { one, port, waiting } = await held({}, { name: 'web', timeout: 100 });
    const answers = [get(port), get(port)];
    await eventually(() => waiting.length === 2);
    const [report, ...outcomes] = await Promise.all([
      one.shutdown(),
      ...answers.map((answer) => answer.catch((error) => error.code)),
    ]);
    expect(outcomes).toEqual(['ECONNRESET', 'ECONNRESET']);
    const cutOff = { requests: 2, connections: 2 };
    expect(report).toMatchObject({ isClean: false, timedOut: 1, cutOff });
    expect(report.resources).toMatchObject([{ name: 'web', state: 'timed-out', cutOff }]);
  });

  test('a resource that depends on the server stops before it refuses anybody', async () => {
    const { one, server } = await serving((_req, res) => void res.end());
    const stop = jest.fn(() => expect(server.listening).toBe(true));
    one.register('registry', { phase: 'accept', dependsOn: ['server'], stop });
    const report = await one.shutdown();
    expect(stop).toHaveBeenCalledTimes(1);
    expect(report.isClean).toBe(true);
  });

  test('one that does not listen, or is closed already, is no failure', async () => {
    const one = new Lifecycle();
    const closed = createServer();
    one.server(closed, { name: 'closed' });
    one.register('never', createServer());
    await listen(closed);
    closed.close();
    expect(await one.shutdown()).toMatchObject({ isClean: true, stopped: 2 });
  });

  test('taken off, it is left as it was', async () => {
    const server = createServer();
    const census = () => server.eventNames().map((name) => [name, server.listenerCount(name)]);
    const before = census();
    const one = new Lifecycle();
    const off = one.server(server);
    server.on('upgrade', before.concat as any);
    server.off('upgrade', before.concat as any);
    expect(census()).not.toEqual(before);
    off();
    expect(census()).toEqual(before);
    one.server(server);
    expect(() => one.server(server)).toThrow('"name" must be a name that no other resource has');
    one.server(server, { name: 'again' })();
  });
});

describe('upgraded connections', () => {
  async function upgrading(grace: number, before: boolean) {
    const server = createServer((_req, res) => res.end('plain'));
    const sockets: Socket[] = [];
    const one = new Lifecycle();
    const upgrade = (_req: unknown, socket: Socket) => {
      sockets.push(socket);
      socket.write(SWITCH);
    };
    if (before) server.on('upgrade', upgrade);
    one.server(server, { grace });
    if (!before) server.on('upgrade', upgrade);
    return { server, one, sockets, port: await listen(server) };
  }

  test.each([true, false])(
    'a WebSocket gets a close frame and a FIN; its listener was there before: %s',
    async (before) => {
      const { one, port, sockets } = await upgrading(30_000, before);
      const client = await wire(port);
      client.socket.write(HANDSHAKE);
      await client.until(SWITCH);
      const shutdown = one.shutdown();
      await client.ended;
      expect(client.bytes().subarray(SWITCH.length)).toEqual(GOING_AWAY);
      const report = await shutdown;
      expect(report).toMatchObject({ isClean: true, cutOff: {} });
      expect(sockets[0]!.destroyed).toBe(true);
    },
  );

  // Node has a client of its own from 22 on.
  const { WebSocket } = globalThis as { WebSocket?: new (url: string) => EventTarget };
  (WebSocket === undefined ? test.skip : test)('Node’s WebSocket is closed cleanly, with 1001', async () => {
    const server = createServer();
    server.on('upgrade', (req, socket) => {
      const hash = createHash('sha1').update(`${req.headers['sec-websocket-key']}${WEBSOCKET_ID}`);
      socket.write(SWITCH.replace(/(?<=Accept: ).*/, hash.digest('base64')));
      socket.resume();
    });
    const one = new Lifecycle();
    one.server(server);
    const client = new WebSocket!(`ws://127.0.0.1:${await listen(server)}`);
    const closed = new Promise((resolve) => client.addEventListener('close', resolve));
    await new Promise((resolve) => client.addEventListener('open', resolve));
    expect(await one.shutdown()).toMatchObject({ isClean: true });
    expect(await closed).toMatchObject({ code: 1001, wasClean: true });
  });

  test('one that does not answer the FIN is destroyed after the grace; a write meanwhile is no crash', async () => {
    const { one, port, sockets } = await upgrading(50, true);
    const client = await wire(port, true);
    client.socket.write(HANDSHAKE);
    await client.until(SWITCH);
    const shutdown = one.shutdown();
    await client.ended;
    expect(sockets[0]!.destroyed).toBe(false);
    sockets[0]!.write('too late');
    const report = await shutdown;
    expect(report.isClean).toBe(true);
    client.socket.destroy();
  });

  test('another protocol gets a FIN and nothing else', async () => {
    const { one, port } = await upgrading(30_000, true);
    const client = await wire(port);
    client.socket.write(HANDSHAKE.replace('Upgrade: websocket', 'Upgrade: other'));
    await client.until(SWITCH);
    const shutdown = one.shutdown();
    await client.ended;
    expect(String(client.bytes())).toBe(SWITCH);
    expect((await shutdown).isClean).toBe(true);
  });

  test('without a listener of the service’s a request for an upgrade stays like any other', async () => {
    const { port, one, server } = await serving((_req, res) => void res.end('plain'));
    const listener = () => {};
    server.on('upgrade', listener);
    server.off('upgrade', listener);
    const client = await wire(port);
    client.socket.write(HANDSHAKE);
    await client.until('plain');
    client.socket.destroy();
    await one.shutdown();
  });
});

/** A certificate as servers take it. */
function tls() {
  const { cert, key, remove } = certificateFiles();
  const files = { cert: readFileSync(cert), key: readFileSync(key) };
  remove();
  return files;
}

test('https: who has not ended the handshake by the end of the grace is let go, and nothing cut off', async () => {
  const server = createSecure(tls(), () => {});
  const one = new Lifecycle();
  one.server(server, { grace: 20 });
  const silent = await wire(await listen(server));
  await eventually(() => one.getStats().connections === 1);
  expect(await one.shutdown()).toMatchObject({ isClean: true });
  await silent.ended;
});

test('http2 with HTTP/1 beside: both are answered, and an idle connection ends', async () => {
  const waiting: any[] = [];
  const server = createSecureHttp2({ ...tls(), allowHTTP1: true }, (_req, res) => void waiting.push(res));
  const one = new Lifecycle();
  one.server(server, { grace: 20 });
  const port = await listen(server);
  const options = { rejectUnauthorized: false };
  const idle = connectTls({ ...options, port, ALPNProtocols: ['http/1.1'] }).on('error', () => {});
  await once(idle, 'secureConnect');
  const client = connectHttp2(`https://127.0.0.1:${port}`, options);
  const stream = client.request({ ':path': '/' }).resume();
  const closed = once(stream, 'close');
  const agent = new SecureAgent({ ...options, keepAlive: true });
  const answer = once(requestSecure({ host: '127.0.0.1', port, agent }).end(), 'response');
  await eventually(() => waiting.length === 2);
  expect(one.getStats()).toMatchObject({ requests: 2, connections: 3 });
  const shutdown = one.shutdown();
  await eventually(() => !server.listening);
  for (const res of waiting) res.end();
  const [res] = await answer;
  res.resume();
  expect(res.headers.connection).toBe('close');
  await closed;
  expect(stream.rstCode).toBe(0);
  expect(await shutdown).toMatchObject({ isClean: true });
  agent.destroy();
});

test('https: answers are told to close, connections end', async () => {
  const waiting: ServerResponse[] = [];
  const server = createSecure(tls(), (_req, res) => void waiting.push(res));
  const one = new Lifecycle();
  one.server(server);
  const port = await listen(server);
  const agent = new SecureAgent({ keepAlive: true, rejectUnauthorized: false });
  const sent = requestSecure({ host: '127.0.0.1', port, agent }).end();
  const answer = once(sent, 'response');
  await eventually(() => waiting.length === 1);
  expect(one.getStats()).toMatchObject({ requests: 1, connections: 1 });
  const shutdown = one.shutdown();
  await eventually(() => !server.listening);
  waiting[0]!.end();
  const [res] = await answer;
  res.resume();
  expect(res.headers.connection).toBe('close');
  expect(await shutdown).toMatchObject({ isClean: true });
  agent.destroy();
});

describe('http2', () => {
  test('clients are asked to open no streams, and those that are open are answered', async () => {
    const waiting: any[] = [];
    const server = createHttp2((_req, res) => void waiting.push(res));
    const one = new Lifecycle({ readinessDelay: 300 });
    one.server(server);
    const client = connectHttp2(`http://127.0.0.1:${await listen(server)}`);
    const goaways: number[][] = [];
    client.on('goaway', (code, last) => goaways.push([code, last]));
    const stream = client.request({ ':path': '/' });
    stream.setEncoding('utf8');
    let body = '';
    stream.on('data', (chunk) => {
      body += chunk;
    });
    await eventually(() => waiting.length === 1);
    expect(one.getStats()).toMatchObject({ requests: 1, connections: 1 });
    const shutdown = one.shutdown();
    await eventually(() => goaways.length > 0);
    expect(goaways[0]).toEqual([0, 2 ** 31 - 1]);
    expect(server.listening).toBe(true);
    const closed = once(stream, 'close');
    await eventually(() => !server.listening);
    waiting[0].end('answered');
    await closed;
    expect(body).toBe('answered');
    expect(await shutdown).toMatchObject({ isClean: true });
    expect(client.closed).toBe(true);
  });

  test('idle sessions end; what is left when the time is over is cut off and counted', async () => {
    const server = createHttp2(() => {});
    const one = new Lifecycle();
    one.server(server, { timeout: 100 });
    const port = await listen(server);
    const [idle, busy] = [connectHttp2(`http://127.0.0.1:${port}`), connectHttp2(`http://127.0.0.1:${port}`)];
    const stream = busy.request({ ':path': '/' });
    stream.on('error', () => {});
    for (const client of [idle, busy]) client.on('error', () => {});
    await eventually(() => one.getStats().requests === 1 && one.getStats().connections === 2);
    const report = await one.shutdown();
    await eventually(() => idle.destroyed && busy.destroyed);
    expect(report.resources).toMatchObject([{ state: 'timed-out', cutOff: { requests: 1, connections: 1 } }]);
  });
});

describe('net', () => {
  test('connections may end by themselves, and are cut off when the time is over', async () => {
    const server = createNet((socket) => socket.on('error', () => {}).pipe(socket));
    const one = new Lifecycle();
    one.server(server, { name: 'echo', timeout: 300 });
    const port = await listen(server);
    const [polite, stubborn] = [await wire(port), await wire(port)];
    await eventually(() => one.getStats().connections === 2);
    const shutdown = one.shutdown();
    await eventually(() => !server.listening);
    polite.socket.end('last words');
    await polite.ended;
    expect(String(polite.bytes())).toBe('last words');
    const report = await shutdown;
    await stubborn.ended;
    expect(report.resources).toMatchObject([
      { name: 'echo', state: 'timed-out', cutOff: { connections: 1 } },
    ]);
  });
});
