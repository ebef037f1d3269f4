import { context, trace } from '@opentelemetry/api';
import { OptimizedRouter } from 'keelson';
import { evaluate } from './support/process';
import { useSpans } from './support/spans';

const { enable, named } = useSpans();

test('the server span of HTTP instrumentation gets the route, mounted or not, whatever span is active', async () => {
  // In a process of its own, since jest's require cannot be instrumented.
  const found = await evaluate<object[]>(`
    const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');
    const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
    const { trace } = require('@opentelemetry/api');
    const exporter = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
    const instrumentation = new HttpInstrumentation({ disableOutgoingRequestInstrumentation: true });
    instrumentation.setTracerProvider(provider);
    const http = require('node:http');
    const { OptimizedRouter, tracing } = require('keelson');
    const express = require('express');
    tracing.enable();
    const router = new OptimizedRouter();
    router.addRoute('/users/:id', { id: 'user', method: 'GET', handler: (req, res) => res.end('ok') });
    const tracer = trace.getTracer('service');
    const inSpan = (req, res) => tracer.startActiveSpan('inner', (span) => {
      router.handle(req, res);
      span.end();
    });
    const get = (port, path) => new Promise((resolve, reject) => http.get({ port, path, agent: false }, (res) => {
      res.resume();
      res.on('end', resolve);
    }).on('error', reject));
    const serve = async (listener, path) => {
      const server = http.createServer(listener).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      await get(server.address().port, path);
      await new Promise((resolve) => server.close(resolve));
    };
    (async () => {
      await serve(router.handle, '/users/7?a=1');
      await serve(inSpan, '/users/8');
      await serve(express().use('/api', router.handle), '/api/users/9');
      await serve(router.handle, '/nowhere');
      const spans = exporter.getFinishedSpans();
      console.log(JSON.stringify(spans.map(({ name, kind, attributes }) =>
        ({ name, kind, route: attributes['http.route'] }))));
    })();
  `);
  const server = (route?: string): object => ({
    name: `GET${route ? ` ${route}` : ''}`,
    kind: 1,
    ...(route && { route }),
  });
  expect(found).toEqual([
    server('/users/:id'),
    { name: 'inner', kind: 0 },
    server('/users/:id'),
    server('/api/users/:id'),
    server(),
  ]);
});

describe('without HTTP instrumentation', () => {
  /** Has a router serve a request while a span of some kind is active. */
  function serveIn(kind: number): void {
    const router = new OptimizedRouter();
    router.addRoute('/users/:id', { id: 'user', method: 'GET', handler: () => {} });
    const span = trace.getTracer('service').startSpan('own', { kind });
    context.with(trace.setSpan(context.active(), span), () =>
      router.handle({ url: '/users/7', method: 'GET' }, {}),
    );
    span.end();
  }

  test("a server span of the service's own gets the route", () => {
    enable();
    serveIn(1);
    expect(named('GET /users/:id')).toMatchObject([{ attributes: { 'http.route': '/users/:id' } }]);
  });

  test('no other span does, and none does before tracing is enabled', () => {
    serveIn(1);
    enable();
    serveIn(0);
    expect(named('own').map(({ attributes }) => attributes)).toEqual([{}, {}]);
  });

  test('requests are served where no span is active', () => {
    enable();
    const router = new OptimizedRouter();
    const handler = jest.fn();
    router.addRoute('/', { id: 'root', method: 'GET', handler });
    router.handle({ url: '/', method: 'GET' }, {});
    expect(handler).toHaveBeenCalledTimes(1);
  });
});
