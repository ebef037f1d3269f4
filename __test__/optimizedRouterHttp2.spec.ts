import { type ClientHttp2Session, connect, constants, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { OptimizedRouter } from 'keelson';
import { metricsOf, naming } from './support/router';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function bare() {
  const router = new OptimizedRouter();
  router.on('error', () => {});
  const server = createServer(router.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closing.push(() => {
    session.destroy();
    server.close();
  });
  return { router, session };
}

// Their 'finish' counted as an answer, and what had been begun was load for ever: such a response is never "ended".
test('requests that their client gives up are disconnected', async () => {
  const { router, session } = await bare();
  let gone!: () => void;
  router.addRoute(
    '/a',
    naming('a', {
      handler: (_req, res, _next, { signal }) => {
        res.stream.once('close', () => {
          res.end('late');
          expect(signal.aborted).toBe(true);
          setImmediate(gone);
        });
        setImmediate(() => sent.close(constants.NGHTTP2_CANCEL));
      },
    }),
  );
  const over = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const sent = session.request({ ':path': '/a' });
  sent.on('error', () => {});
  await over;
  expect(metricsOf(router, 'a')).toMatchObject({
    inFlight: 0,
    errors: { disconnected: 1 },
    byStatusClass: { '2xx': 0 },
  });
});

test('a client that left gets no handler', async () => {
  const { router, session } = await bare();
  const handler = jest.fn();
  const gone = new Promise<void>((resolve) => {
    router.use((_req, res, next) => {
      res.stream.once('close', () => {
        next();
        resolve();
      });
      setImmediate(() => sent.close(constants.NGHTTP2_CANCEL));
    });
  });
  router.addRoute('/a', naming('a', { handler }));
  const sent = session.request({ ':path': '/a' });
  sent.on('error', () => {});
  await gone;
  expect(handler).not.toHaveBeenCalled();
  expect(metricsOf(router, 'a').requests).toBe(0);
});

test('half an answer does not look like a whole one', async () => {
  const { router, session } = await bare();
  router.addRoute(
    '/a',
    naming('a', {
      handler: async (_req, res) => {
        res.write('half');
        await new Promise(setImmediate);
        throw new Error('boom');
      },
    }),
  );
  const sent = session.request({ ':path': '/a' });
  sent.resume();
  const error = await new Promise<any>((resolve) => sent.on('error', resolve));
  expect(error.code).toBe('ERR_HTTP2_STREAM_ERROR');
  expect(sent.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
});

test('answers, repeats and times out as over HTTP/1', async () => {
  const warn = jest.spyOn(process, 'emitWarning');
  const { router, session } = await bare();
  router.addRoute('/ok/:id', naming('ok', { handler: (req, res) => res.end(req.params.id) }));
  router.addRoute('/late', naming('late', { timeout: 5, handler: () => {} }));
  router.addRoute(
    '/retry',
    naming('retry', {
      retries: 1,
      handler: (_req, res, _next, { attempt }) => {
        if (attempt === 1) throw new Error('boom');
        res.end('second');
      },
    }),
  );
  const ask = (path: string) =>
    new Promise<[number, string]>((resolve, reject) => {
      const sent = session.request({ ':path': path });
      let status = 0;
      let body = '';
      sent.on('response', (headers) => {
        status = Number(headers[':status']);
      });
      sent.on('data', (chunk) => {
        body += chunk;
      });
      sent.on('end', () => resolve([status, body]));
      sent.on('error', reject);
    });
  expect(await ask('/ok/5')).toEqual([200, '5']);
  expect(await ask('/retry')).toEqual([200, 'second']);
  expect(await ask('/late')).toEqual([504, '{"error":"Gateway timeout"}']);
  expect(await ask('/none')).toEqual([404, '{"error":"Route not found"}']);
  // Nothing was asked of a response that HTTP/2 does not have.
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});
