import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Stop, type Terminal } from '../dist/cli/command';
import { load } from '../dist/cli/load';
import type { LoadReport } from '../dist/cli/load/report';
import { nobody, serveHttp, useLoadServers } from './support/loadServer';
import { outputOf, root, runNode, temporaryFolder } from './support/process';
import { CLI } from './support/swapProject';

useLoadServers();
const { folder, remove } = temporaryFolder();
afterAll(remove);

/** Short steps, and an SLO whose latency a busy machine keeps: what breaks is what the test is about. */
const SHORT = ['--step', '1', '--warmup', '0', '--slo-p99', '5000'];

const keelsonLoad = (...args: string[]) => runNode([CLI, 'load', ...args]);

/** The report that the command prints, which has to end with `code`. */
async function reportOf(code: number, ...args: string[]): Promise<LoadReport> {
  const { stdout, ...outcome } = await keelsonLoad('--json', ...args, '--quiet');
  expect(outcome).toMatchObject({ code, stderr: '' });
  return JSON.parse(stdout);
}

/** Answers 503 to whatever is more than `rate` a second, after a burst. */
function limited(rate: number, burst: number) {
  let tokens = burst;
  let last = performance.now();
  return serveHttp((_, response) => {
    const now = performance.now();
    tokens = Math.min(burst, tokens + ((now - last) * rate) / 1000);
    last = now;
    if (tokens >= 1) tokens--;
    else response.statusCode = 503;
    response.end();
  });
}

describe('the knee', () => {
  test('is where a service begins to refuse', async () => {
    const report = await reportOf(
      0,
      await limited(150, 40),
      ...SHORT,
      '--from',
      '60',
      '--factor',
      '2',
      '--precision',
      '20',
    );
    // 190 of the first second's requests are served; one of a hundred may be refused.
    expect(report).toMatchObject({ version: 1, method: 'GET', outcome: 'knee' });
    expect(report.knee).toBeGreaterThanOrEqual(120);
    expect(report.knee).toBeLessThanOrEqual(192);
    expect(report.broke).toBeGreaterThan(report.knee!);
    expect(report.broke! - report.knee!).toBeLessThanOrEqual(report.knee! * 0.2);
    expect(report.summary).toMatch(/% failed \(\d+ with 5xx\)/);
    expect(report.steps.slice(0, 3).map(({ rate }) => rate)).toEqual([60, 120, 240]);
    for (const { rate, requests, statuses, errors, breaks } of report.steps) {
      expect(requests).toBe(rate);
      const refused = statuses[503] ?? 0;
      expect(errors).toMatchObject({ percent: (refused / requests) * 100, status5xx: refused });
      expect(breaks.some(({ limit }) => limit === 'errors')).toBe(refused * 100 > requests);
    }
  });

  test('is where a service cannot keep up', async () => {
    // One request after the other, 10 ms each: at most 100 a second.
    let busy: Promise<unknown> = Promise.resolve();
    const url = await serveHttp((_, response) => {
      busy = busy.then(() => new Promise((resolve) => setTimeout(resolve, 10))).then(() => response.end());
    });
    const { knee, broke, steps } = await reportOf(
      0,
      url,
      ...SHORT.slice(0, 4),
      '--slo-p99',
      '700',
      '--from',
      '20',
      '--factor',
      '10',
      '--precision',
      '100',
    );
    expect(knee).toBeGreaterThanOrEqual(20);
    expect(knee).toBeLessThan(200);
    expect(broke).toBeLessThanOrEqual(200);
    const fast = steps.find(({ rate }) => rate === 200)!;
    expect(fast.breaks.map(({ limit }) => limit)).toEqual(expect.arrayContaining(['p99', 'rate']));
    // A queue of 100 and more is there at the end of the second; p50 is half of it.
    expect(fast.latency!.p99).toBeGreaterThan(800);
    expect(fast.latency!.p50).toBeGreaterThan(400);
    expect(fast.achieved).toBeLessThan(175);
  });

  test('is above --max', async () => {
    const url = await serveHttp((_, response) => response.end());
    const { outcome, knee, steps } = await reportOf(0, url, ...SHORT, '--from', '20', '--max', '30');
    expect({ outcome, knee, rates: steps.map(({ rate }) => rate) }).toEqual({
      outcome: 'max-reached',
      knee: 30,
      rates: [20, 30],
    });
  });

  test('is below the first rate, which ends with 1', async () => {
    const url = await serveHttp((_, response) => {
      response.statusCode = 500;
      response.end();
    });
    const { outcome, knee, broke, notes } = await reportOf(1, url, ...SHORT, '--from', '20');
    expect({ outcome, knee, broke }).toEqual({ outcome: 'below-first-rate', knee: null, broke: 20 });
    expect(notes).toEqual([
      'The first request was answered with 500.',
      `No metrics of the service from ${url}/metrics: it answers with 500.`,
    ]);
  });
});

test('the table is for people, the files for the rest, and each step has a line', async () => {
  const url = await serveHttp((_, response) => response.end());
  const [json, html] = [join(folder, 'report.json'), join(folder, 'report.html')];
  const args = [...SHORT, '--from', '20', '--max', '20', '--json', json, '--html', html];
  const { code, stdout, stderr } = await keelsonLoad(`${url}/<script>`, ...args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^GET .*%3Cscript%3E\n\nrate\/s .* SLO\n +20 .* held\n\nThe SLO held at 20/);
  expect(stderr).toMatch(/^20\/s: achieved .*, p99 .* ms, p99.9 .* ms, errors 0 %: held\n$/);
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
    version: 1,
    url: `${url}/%3Cscript%3E`,
    settings: {
      from: 20,
      max: 20,
      factor: 1.5,
      stepSeconds: 1,
      sloP99: 5000,
      sloErrorsPercent: 1,
      workers: 1,
    },
    steps: [
      {
        rate: 20,
        requests: 20,
        connections: 200,
        latency: { p50: expect.any(Number), p99: expect.any(Number), p999: expect.any(Number) },
        service: null,
        breaks: [],
      },
    ],
  });
  expect(readFileSync(html, 'utf8')).toContain('Knee: at least <strong>20</strong> requests a second');
});

test('on a terminal one line is rewritten', async () => {
  const url = await serveHttp((_, response) => response.end());
  const lines: Record<keyof Terminal, string[]> = { out: [], err: [], ask: [], status: [] };
  const terminal: Terminal = {
    out: (line) => lines.out.push(line),
    err: (line) => lines.err.push(line),
    status: (line) => lines.status.push(line),
  };
  expect(await load.run([url, ...SHORT, '--from', '20', '--max', '20'], terminal)).toBe(0);
  expect(lines.err).toEqual([]);
  expect(lines.status).toEqual(
    expect.arrayContaining([
      '20/s for 1 s',
      expect.stringMatching(/^20\/s for 1 s: \d+ %, p99 .* ms, 0 failed$/),
    ]),
  );
  expect(lines.status.at(-1)).toBe('');
  expect(lines.out.at(-2)).toContain('The SLO held at 20');
});

test("the service's own figures are those of its metrics, which may need a token", async () => {
  let cpu = 100;
  const url = await serveHttp((request, response) => {
    if (request.url !== '/own') {
      response.end();
    } else if (request.headers.authorization !== 'Bearer t0ken') {
      response.writeHead(401).end();
    } else {
      response.end(`process_cpu_seconds_total ${cpu}\nprocess_resident_memory_bytes ${2e6 + cpu}
nodejs_eventloop_lag_p99_seconds ${cpu / 1000}\nnodejs_eventloop_lag_mean_seconds 0.0625\n`);
      cpu += 1;
    }
  });
  const args = [url, ...SHORT, '--from', '20', '--max', '20', '--metrics', `${url}/own`];
  const { steps, notes } = await reportOf(0, ...args, '--metrics-token', 't0ken');
  expect(notes).toEqual([]);
  // The last scrape was answered with what is one less than now.
  expect(steps[0]?.service).toMatchObject({
    eventLoopDelayP99: cpu - 1,
    eventLoopDelayMean: 62.5,
    resident: 2e6 + cpu - 1,
    heapUsed: null,
  });
  expect(steps[0]?.service?.cpu).toBeGreaterThan(0);

  const without = await reportOf(0, ...args);
  expect(without.steps[0]?.service).toBeNull();
  expect(without.notes).toEqual([`No metrics of the service from ${url}/own: it answers with 401.`]);
});

// Windows ends a process at once, whatever signal it is sent.
(process.platform === 'win32' ? test.skip : test)('Ctrl-C ends it with the report so far', async () => {
  const url = await serveHttp((_, response) => response.end());
  const args = [CLI, 'load', url, ...SHORT, '--from', '20', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = outputOf(child);
  child.stderr.once('data', () => child.kill('SIGINT'));
  const [code] = await new Promise<[number | null]>((resolve) =>
    child.on('close', (ended) => resolve([ended])),
  );
  expect(code).toBe(0);
  const { outcome, knee, steps, summary } = JSON.parse(output.stdout) as LoadReport;
  expect(outcome).toBe('interrupted');
  expect(steps.length).toBeGreaterThan(0);
  expect(knee).toBe(steps.at(-1)?.rate);
  expect(summary).toMatch(/^Interrupted\. The SLO held at/);
});

describe('refuses', () => {
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await keelsonLoad(...args);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return { code, stderr };
  };

  test.each([
    [[], 'one URL, not 0'],
    [['http://a', 'http://b'], 'one URL, not 2'],
    [['localhost:3000'], "has to begin with http:// or https://, not 'localhost:3000'"],
    [['ftp://a'], 'has to begin with http'],
    [['http://a', '--form', '5'], "Unknown option '--form'"],
    [['http://a', '--from', '0'], '--from has to be a number from 1'],
    [['http://a', '--from', ''], "not ''"],
    [['http://a', '--from', '1.5'], '--from has to be a whole number'],
    [['http://a', '--from', '9', '--max', '8'], '--max is below --from'],
    [['http://a', '--factor', '1'], '--factor has to be a number from 1.01'],
    [['http://a', '--step', 'ten'], "--step has to be a number from 0.5 to 3600, not 'ten'"],
    [['http://a', '--slo-p99', '-1'], '--slo-p99'],
    [['http://a', '--slo-errors', '100'], '--slo-errors'],
    [['http://a', '--slo-p99', '2000', '--timeout', '2'], '--timeout has to be longer than --slo-p99'],
    [['http://a', '--precision', '0'], '--precision'],
    [['http://a', '--connections', '0'], '--connections'],
    [['http://a', '--workers', '0'], '--workers'],
    [['http://a', '--method', 'HEAD'], '--method has to be one of GET, POST'],
    [['http://a', '--header', 'x'], "--header has to be 'name: value'"],
    [['http://a', '--header', 'x y: z'], 'has characters that a header cannot have'],
    [['http://a', '--header', 'x: a\nb'], '--header "x: a\\nb" has characters'],
    [['http://a', '--header', 'Content-Length: 1'], 'is written by itself'],
    [['http://a', '--header', 'x: 1', '--header', 'X: 2'], 'is there twice'],
    [['http://a', '--body', 'x', '--body-file', 'y'], 'leave one out'],
    [['http://a', '--body-file', 'no-such-file'], '--body-file cannot be read'],
    [['http://a', '--metrics', '/metrics'], '--metrics has to begin with http'],
    [['http://a', '--metrics-token', 'a b'], '--metrics-token'],
    [['http://a', '--html', join('no-such-folder', 'x')], '--html cannot be written'],
    [['http://a', '--json', '.'], '--json cannot be written'],
  ])('what makes no sense: %j', async (args, hint) => {
    const silent: Terminal = { out: jest.fn(), err: jest.fn() };
    const stop = (await load.run(args, silent).catch((error) => error)) as Stop;
    expect(stop).toBeInstanceOf(Stop);
    expect(stop.exitCode).toBe(2);
    expect(stop.message).toContain(hint);
    expect(stop.message).not.toContain('\n');
  });

  test('that with 2', async () => {
    expect(await refused('http://a', '--from', 'x')).toEqual({
      code: 2,
      stderr: "keelson: --from has to be a number from 1 to 1000000, not 'x'\n",
    });
  });

  test('an address where nobody is, with 3', async () => {
    const url = await nobody();
    const { code, stderr } = await refused(url, '--quiet');
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `keelson: Nothing answers at ${url}: ECONNREFUSED\n`,
    });
  });

  test('to go on without autocannon, which it looks for beside itself and where it was started', async () => {
    const elsewhere = join(folder, 'keelson');
    const project = join(folder, 'project');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    cpSync(join(root, 'dist'), join(elsewhere, 'dist'), { recursive: true });
    const run = async () => {
      const { code, stderr } = await runNode([join(elsewhere, 'dist', 'cli.js'), 'load', await nobody()], {
        cwd: project,
      });
      return { code, stderr };
    };
    const missing = await run();
    expect(missing.code).toBe(3);
    expect(missing.stderr).toContain('npm install --save-dev autocannon');
    symlinkSync(
      join(root, 'node_modules', 'autocannon'),
      join(project, 'node_modules', 'autocannon'),
      'junction',
    );
    expect((await run()).stderr).toContain('Nothing answers');
  });

  test('but shows its help', async () => {
    const { code, stdout } = await keelsonLoad('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('--slo-p99');
  });
});
