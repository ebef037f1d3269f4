import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Stop } from '../command.js';
import { writable } from './output.js';
import { type Request, requestOf } from './request.js';
import { integer, number, webAddress } from './values.js';

/** What a step has to keep. */
export interface Slo {
  /** Milliseconds that 99 % of all requests take at most. */
  readonly p99: number;
  /** Percent of requests that may fail. */
  readonly errors: number;
}

/** What `keelson load` was asked for. */
export interface LoadOptions {
  readonly request: Request;
  /** Requests a second: of the first step, and at most. */
  readonly from: number;
  readonly max: number;
  /** The rate of a step over that of the one before. */
  readonly factor: number;
  /** Seconds. */
  readonly step: number;
  readonly warmup: number;
  readonly timeout: number;
  readonly slo: Slo;
  /** How close to each other a good and a broken rate are in the end, in percent of the good one. */
  readonly precision: number;
  /** Connections; undefined: as many as a step needs. */
  readonly connections: number | undefined;
  /** Processes that send. */
  readonly workers: number;
  readonly metrics: { readonly url: string; readonly token: string | undefined };
  /** A file; '-' is stdout. */
  readonly json: string | undefined;
  /** A file. */
  readonly html: string | undefined;
  readonly quiet: boolean;
}

export const HELP = `Usage: keelson load <url> [options]

Finds the highest rate of requests at which a service keeps its SLO: sends at a constant rate, raises it step by step until
the SLO breaks, then halves the distance between the last good and the first broken rate. Requests are sent when they are
due, however late the answers are, and latencies count from then on. Needs autocannon: npm install --save-dev autocannon

The rates:
      --from <n>            requests a second of the first step (50)
      --factor <n>          each step is this much faster (1.5)
      --max <n>             the highest rate to try (100000)
      --precision <n>       stop when good and broken rate are this many percent apart (10)
      --step <s>            seconds of a step (10)
      --warmup <s>          seconds at the first rate that do not count (2)
The SLO:
      --slo-p99 <ms>        the 99th percentile of latencies (100)
      --slo-errors <n>      percent that may fail: timeouts, lost connections, 5xx and 429 (1)
                            A step also breaks if less than 95 % of its rate is answered well in time.
The requests:
      --method <name>       GET, or POST if there is a body
      --header <h>          'name: value' (repeatable)
      --body <text>         what is sent
      --body-file <path>    the file that is sent
      --timeout <s>         seconds after which a request has failed (10)
      --connections <n>     connections (as many as requests of twice the SLO's latency need, 10 to 2000)
      --workers <n>         processes that send (1): for rates that one cannot reach
The service's own figures:
      --metrics <url>       where it exposes metrics for Prometheus (/metrics beside the URL)
      --metrics-token <t>   sent to there as a Bearer token
The report:
      --json [file]         as JSON, into the file or instead of the table
      --html <file>         as a page with plots
  -q, --quiet               no progress

Exit codes: 0 done, 1 the SLO did not hold at the first rate, 2 wrong usage, 3 refused: nothing answers at the URL.`;

const FLAGS = {
  from: { type: 'string' },
  factor: { type: 'string' },
  max: { type: 'string' },
  precision: { type: 'string' },
  step: { type: 'string' },
  warmup: { type: 'string' },
  'slo-p99': { type: 'string' },
  'slo-errors': { type: 'string' },
  method: { type: 'string' },
  header: { type: 'string', multiple: true },
  body: { type: 'string' },
  'body-file': { type: 'string' },
  timeout: { type: 'string' },
  connections: { type: 'string' },
  workers: { type: 'string' },
  metrics: { type: 'string' },
  'metrics-token': { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} as const;

/** parseArgs knows no optional values: a bare --json is one for stdout. */
function withJson(args: string[]): string[] {
  const bare = (next: string | undefined) => next === undefined || /^(?:-.|https?:\/\/)/.test(next);
  return args.map((arg, index) => (arg === '--json' && bare(args[index + 1]) ? '--json=-' : arg));
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args: withJson(args), options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new Stop(2, `${(error as Error).message.split(/\.\s/)[0]}. Try: keelson load --help`);
  }
}

function bodyOf(text: string | undefined, file: string | undefined): Buffer | undefined {
  if (text !== undefined && file !== undefined) throw new Stop(2, '--body and --body-file: leave one out');
  if (file === undefined) return text === undefined ? undefined : Buffer.from(text);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Stop(2, `--body-file cannot be read: ${(error as Error).message}`);
  }
}

export function loadOptions(args: string[]): LoadOptions {
  const { values, positionals } = parsed(args);
  if (positionals.length !== 1) throw new Stop(2, `load takes one URL, not ${positionals.length}`);
  const url = webAddress('The URL', positionals[0] as string);
  const body = bodyOf(values.body, values['body-file']);
  const metrics = webAddress('--metrics', values.metrics ?? new URL('/metrics', url.origin).href);
  const token = values['metrics-token'];
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new Stop(2, '--metrics-token has to be of visible ASCII characters');
  }
  const options: LoadOptions = {
    request: requestOf(url, values.method, values.header ?? [], body),
    from: integer('--from', values.from, 50, 1, 1e6),
    max: integer('--max', values.max, 100_000, 1, 1e6),
    factor: number('--factor', values.factor, 1.5, 1.01, 10),
    step: number('--step', values.step, 10, 0.5, 3600),
    warmup: number('--warmup', values.warmup, 2, 0, 3600),
    timeout: number('--timeout', values.timeout, 10, 1, 600),
    slo: {
      p99: number('--slo-p99', values['slo-p99'], 100, 1, 600_000),
      errors: number('--slo-errors', values['slo-errors'], 1, 0, 99),
    },
    precision: number('--precision', values.precision, 10, 0.1, 100),
    connections:
      values.connections === undefined
        ? undefined
        : integer('--connections', values.connections, 0, 1, 20_000),
    workers: integer('--workers', values.workers, 1, 1, Math.max(4, availableParallelism())),
    metrics: { url: metrics.href, token },
    json: values.json,
    html: values.html,
    quiet: values.quiet ?? false,
  };
  if (options.max < options.from) throw new Stop(2, '--max is below --from: there is no rate to try');
  if (options.timeout * 1000 <= options.slo.p99) {
    throw new Stop(2, '--timeout has to be longer than --slo-p99, or the SLO could not break by its latency');
  }
  if (options.json !== undefined && options.json !== '-') writable('--json', options.json);
  if (options.html !== undefined) writable('--html', options.html);
  return options;
}
