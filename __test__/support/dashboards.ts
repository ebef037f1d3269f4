import { type ClientRequest, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { Dashboard, type DashboardOptions } from 'keelson';
import { eventually } from './server';
import { listen } from './wires';

export const TOKEN = 'token-of-the-tests';

const closing: (() => unknown)[] = [];

/** Closes what the tests of a file have opened, after each of them. */
export function useDashboards(): void {
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
}

export function make(options: DashboardOptions = {}): Dashboard {
  const dashboard = new Dashboard({ token: TOKEN, interval: 250, ...options });
  closing.push(() => dashboard.close());
  return dashboard;
}

export async function serve(
  listener: (req: any, res: any) => void,
): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: await listen(server), server };
}

/** Somebody who looks, reading a stream as a specification of server-sent events says. */
export class Looker {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly comments: string[] = [];
  readonly events: { name: string; data: any }[] = [];
  retry: number | undefined;
  hasEnded = false;
  readonly #request: ClientRequest;
  readonly #response: IncomingMessage;

  private constructor(sent: ClientRequest, response: IncomingMessage) {
    [this.#request, this.#response] = [sent, response];
    [this.status, this.headers] = [response.statusCode!, response.headers];
    let rest = '';
    let [name, data] = ['', ''];
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('close', () => {
      this.hasEnded = true;
    });
    response.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
        if (line === '') {
          if (data !== '') this.events.push({ name, data: JSON.parse(data) });
          [name, data] = ['', ''];
        } else if (field === '') this.comments.push(value!);
        else if (field === 'event') name = value!;
        else if (field === 'data') data += value;
        else if (field === 'retry') this.retry = Number(value);
      }
    });
  }

  static look(port: number, path = '/_keelson/events', token: string | undefined = TOKEN): Promise<Looker> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, headers }, (response) =>
        resolve(new Looker(sent, response)),
      );
      sent.on('error', reject);
      sent.end();
      closing.push(() => sent.destroy());
    });
  }

  /** What came as `metrics`. */
  get updates(): any[] {
    return this.events.filter(({ name }) => name === 'metrics').map(({ data }) => data);
  }

  async until(updates: number): Promise<void> {
    await eventually(() => this.updates.length >= updates);
  }

  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  async ended(): Promise<void> {
    await eventually(() => this.hasEnded);
  }

  leave(): void {
    this.#request.destroy();
  }
}
