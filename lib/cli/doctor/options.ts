import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { Stop } from '../command.js';

/** What `keelson doctor` was asked for. Times are in milliseconds. */
export interface DoctorOptions {
  host: string;
  port: number;
  pid: number | undefined;
  durationMs: number;
  minSize: number;
  minGrowth: number;
  jsonMs: number;
  deep: boolean;
  json: boolean;
}

export const HELP = `Usage: keelson doctor [port] [options]

Looks at a running service through its own inspector, for a while, and finds Maps and Sets that only grow, timers that
accumulate, and calls of JSON.parse and JSON.stringify that block. Sees the main thread and its worker threads. Start
the service with: node --inspect=127.0.0.1:9229 …  or open its inspector with --pid and --open.

Options:
  -p, --port <n>         the inspector's port (default: 9229)
      --host <name>      a loopback address (default: 127.0.0.1); everything else is refused
      --pid <n>          the process that is meant; with --open its inspector is opened, on its own port
      --open             open that inspector (by SIGUSR1), and close it at the end
  -t, --duration <s>     seconds to look (default: 30); Ctrl+C ends early, with what was found so far
      --min-size <n>     pass over collections with fewer entries (default: 100)
      --min-growth <n>   entries or timers by which something has to grow in that time (default: 10)
      --json-ms <ms>     from when a call of JSON blocks (default: 10)
      --deep             look at arrays and plain objects too: walks the heap, which stops the service meanwhile
      --json             print the report as JSON

Exit codes: 0 nothing found, 1 something found, 2 wrong usage, 3 refused or not reachable.`;

const FLAGS = {
  port: { type: 'string', short: 'p' },
  host: { type: 'string' },
  pid: { type: 'string' },
  open: { type: 'boolean' },
  duration: { type: 'string', short: 't' },
  'min-size': { type: 'string' },
  'min-growth': { type: 'string' },
  'json-ms': { type: 'string' },
  deep: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new Stop(2, `${(error as Error).message.split(/\.\s/)[0]}. Try: keelson doctor --help`);
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new Stop(2, `${name} has to be a whole number from ${least} to ${most}, not '${text}'`);
  }
  return value;
}

function decimal(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value < least || value > most) {
    throw new Stop(2, `${name} has to be a number from ${least} to ${most}, not '${text}'`);
  }
  return value;
}

/** @throws Stop for all but loopback: an inspector runs any code for whoever reaches it */
function loopback(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(bare);
  if (bare === 'localhost' || (version === 4 && bare.startsWith('127.')) || bare === '::1') return bare;
  throw new Stop(
    2,
    `'${host}' is no loopback address. An inspector runs any code for whoever reaches it, so keelson doctor only looks at this machine's own: run it there, or through an SSH tunnel to 127.0.0.1`,
  );
}

export function doctorOptions(args: string[]): DoctorOptions {
  const { values, positionals } = parsed(args);
  if (positionals.length > 1) throw new Stop(2, `doctor takes one port, not ${positionals.length}`);
  const port = values.port ?? positionals[0];
  if (values.port !== undefined && positionals.length > 0) {
    throw new Stop(2, 'The port is given twice: leave one out');
  }
  if (values.pid !== undefined && !values.open) {
    throw new Stop(2, 'Opening an inspector in a running process is yours to decide: add --open to --pid');
  }
  if (values.open && values.pid === undefined) throw new Stop(2, '--open needs the process: add --pid <n>');
  return {
    host: loopback(values.host ?? '127.0.0.1'),
    port: whole('The port', port ?? '9229', 1, 65_535),
    pid: values.pid === undefined ? undefined : whole('--pid', values.pid, 1, 2 ** 31 - 1),
    durationMs: decimal('--duration', values.duration ?? '30', 1, 86_400) * 1000,
    minSize: whole('--min-size', values['min-size'] ?? '100', 1, 2 ** 24),
    minGrowth: whole('--min-growth', values['min-growth'] ?? '10', 1, 2 ** 24),
    jsonMs: decimal('--json-ms', values['json-ms'] ?? '10', 0.1, 3_600_000),
    deep: values.deep ?? false,
    json: values.json ?? false,
  };
}
