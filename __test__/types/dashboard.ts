// What the types of the Dashboard accept, and what they refuse.
import { createServer } from 'node:http';
import {
  Dashboard,
  type DashboardHandler,
  type DashboardMiddleware,
  type DashboardOptions,
  type DashboardStats,
  lifecycle,
} from 'keelson';

export function show(app: { use(middleware: (req: any, res: any, next: () => void) => void): void }): void {
  const options: DashboardOptions = { path: '/ops', token: false, remote: true };
  const dashboard = new Dashboard({ ...options, interval: 500, maxViewers: 2 });
  const handler: DashboardHandler = dashboard.handler();
  const middleware: DashboardMiddleware = dashboard.middleware();
  createServer(handler);
  app.use(middleware);
  lifecycle.register('dashboard', dashboard);
  const token: string | undefined = dashboard.token;
  const stats: DashboardStats = dashboard.getStats();
  const url: string = dashboard.url('http://localhost');
  void [token, stats.viewers, url];
  dashboard.close();

  // @ts-expect-error true is no token
  new Dashboard({ token: true });
  // @ts-expect-error there is no such option
  new Dashboard({ port: 80 });
  // @ts-expect-error only read
  dashboard.token = 'x';
}
