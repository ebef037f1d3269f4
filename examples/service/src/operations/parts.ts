import type { Server } from 'node:http';
import type { Context } from '../context';
import type { Lifecycle } from '../lib/utilities/operations/operations';
import type { Shared } from '../threads/shared';

/** What starts and stops, besides the server. */
interface Parts {
  context: Context;
  server: Server;
  shared: Shared;
  /** Has the server listen. */
  listen(): Promise<void>;
}

/** Registers the parts of a service, each after those that it uses. */
export function registerParts(lifecycle: Lifecycle, { context, server, shared, listen }: Parts): void {
  const { catalogue, database, delivery, jobs, limits, logger, scaling } = context;
  const log = logger === undefined ? [] : ['log'];
  if (logger !== undefined) lifecycle.register('log', logger);
  lifecycle.register('database', {
    dependsOn: log,
    // First, so that it misses nothing.
    start: () => database.listen(context.jobTimers, catalogue),
    stop: ({ timeout }) => database.close(timeout),
  });
  lifecycle.register('limits', { dependsOn: log, stop: () => limits.close() });
  lifecycle.register('shared', { dependsOn: log, stop: () => shared.close() });
  // Its last quotes are still on their way there.
  lifecycle.register('delivery', { dependsOn: ['shared'], stop: () => delivery.close() });
  lifecycle.register('catalogue', {
    dependsOn: ['database', 'shared'],
    start: () => catalogue.refresh(),
    stop: () => catalogue.destroy(),
  });
  if (scaling !== undefined) lifecycle.register('scaling', scaling);
  lifecycle.register('health', context.health);
  lifecycle.register('dashboard', context.dashboard);
  lifecycle.server(server, { name: 'http', dependsOn: ['catalogue', 'delivery', 'limits'] });
  // What accepts starts last, and holds nothing that would have to be stopped.
  lifecycle.register('listening', {
    phase: 'accept',
    dependsOn: ['catalogue'],
    start: listen,
    stop: () => {},
  });
  lifecycle.register('jobs', {
    phase: 'timers',
    dependsOn: ['catalogue'],
    start: () => jobs.start(),
    stop: () => jobs.stop(),
  });
  lifecycle.on('shutdown', () => {
    context.stopping = true;
    jobs.stop();
    // Watchers would be in flight until their time is over.
    context.stockWatch.releaseAll();
  });
}
