import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The service of dashboardService.js, in a process. */
export class DashboardProcess {
  /** With the token. */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** @param port a free one by default */
  static async start({ routes = 30, port = 0 } = {}): Promise<DashboardProcess> {
    const args = [join(__dirname, 'dashboardService.js'), String(routes), String(port)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const line of createInterface(child.stdout!)) return new DashboardProcess(child, line);
    throw new Error(`The service ended with ${child.exitCode}`);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Shuts it down in order; gives its exit code, which is 0 if that cut off nothing. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    return (await exited)[0];
  }
}
