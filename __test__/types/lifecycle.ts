// What the types of Lifecycle and Health accept, and what they refuse.
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import {
  DependencyError,
  Health,
  type HealthDocument,
  type HealthOptions,
  Lifecycle,
  type LifecyclePhase,
  type LifecycleState,
  lifecycle,
  MainThreadError,
  type ResourceReport,
  type ShutdownReport,
  ShuttingDownError,
  TimerManager,
} from 'keelson';

export async function operate(): Promise<void> {
  const phase: LifecyclePhase = 'queues';
  const one = new Lifecycle({ readinessDelay: 0, timeout: 5, budgets: { pools: 5 } });
  const off: () => boolean = one.register('timers', new TimerManager());
  one.register('db', { close: async () => {} }, { phase, dependsOn: ['timers'] as const, timeout: 5 });
  one.register('jobs', {
    phase,
    dependsOn: ['db'],
    start: async ({ signal }) => signal.throwIfAborted(),
    stop: ({ reason, timeout, signal, cutOff }) => {
      signal.addEventListener('abort', () => cutOff(reason, timeout));
    },
  });
  one.register('log', process.stdout, { phase: 'loggers' });
  one.server(createServer(), { name: 'web', dependsOn: ['db'], grace: 5 });
  one.server(createSecureServer());
  const undo: () => void = one.handleSignals({ signals: ['SIGTERM'] as const, exit: false });
  await one.ready();
  const state: LifecycleState = one.state;
  const report: ShutdownReport = await lifecycle.shutdown({ reason: 'x', timeout: 5 });
  const rows: readonly ResourceReport[] = report.resources;
  const count: number | undefined = report.cutOff.requests;

  const options: HealthOptions = {
    lifecycle: one,
    eventLoopLag: { max: 5 },
    memory: { heap: false, rss: { fail: 1 } },
  };
  const health = new Health({
    ...options,
    version: '1',
    notes: ['x'] as const,
    checks: { a: () => {}, b: async () => {} },
  });
  health.addCheck('c:d', {
    kind: 'live',
    check: async (signal) => ({
      status: 'warn',
      observedValue: [signal.aborted],
      observedUnit: 'x',
      output: 'y',
    }),
  });
  const document: HealthDocument = await health.ready();
  createServer(health.handler('live', { details: (req) => req.headers.x === 'y' }));
  health.middleware({ live: '/x', startup: false, details: true })({}, {}, () => {});
  const time: string | undefined = document.checks?.['c:d']?.[0]?.time;
  void [off, undo, state, rows, count, time, DependencyError, MainThreadError, ShuttingDownError];
  health.close();

  // @ts-expect-error nothing of it stops anything
  one.register('x', { halt() {} });
  // @ts-expect-error no such phase
  one.register('x', { phase: 'later', stop() {} });
  // @ts-expect-error no server
  one.server({});
  // @ts-expect-error no signal
  one.handleSignals({ signals: ['SIGWHAT'] });
  // @ts-expect-error no such status
  health.addCheck('x', () => ({ status: 'up' }));
  // @ts-expect-error no such question
  health.handler('well');
}
