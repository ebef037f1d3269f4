import { spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { examine, type Report, useServices } from './support/doctorServices';
import { copyInto, runNode, temporaryFolder } from './support/process';
import { eventually } from './support/server';
import { CLI } from './support/swapProject';

const { grows } = require('../dist/cli/doctor/growth.js') as typeof import('../lib/cli/doctor/growth');

const start = useServices();
const posix = process.platform === 'win32' ? test.skip : test;
const IDLE = 'setInterval(() => {}, 1000);';

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    request({ port, host: '127.0.0.1', path: '/json/version', agent: false }, (response) => {
      response.resume();
      resolve(true);
    })
      .on('error', () => resolve(false))
      .end();
  });

describe('wrong usage ends with 2', () => {
  test.each([
    { args: ['--prot', '1'], hint: "Unknown option '--prot'" },
    { args: ['9229', '9230'], hint: 'one port, not 2' },
    { args: ['9229', '--port', '9230'], hint: 'given twice' },
    { args: ['0'], hint: 'from 1 to 65535' },
    { args: ['70000'], hint: 'from 1 to 65535' },
    { args: ['http'], hint: "not 'http'" },
    { args: ['--host', '0.0.0.0'], hint: 'no loopback address' },
    { args: ['--host', '10.0.0.7'], hint: 'no loopback address' },
    { args: ['--host', '::'], hint: 'no loopback address' },
    { args: ['--host', '127.0.0.1.example.com'], hint: 'no loopback address' },
    { args: ['--host', 'example.com'], hint: 'no loopback address' },
    { args: ['--pid', '1'], hint: 'add --open' },
    { args: ['--open'], hint: 'add --pid' },
    { args: ['--pid=-1', '--open'], hint: '--pid has to be' },
    { args: ['--pid', '--open'], hint: "Option '--pid'" },
    { args: ['--duration', '0'], hint: 'from 1 to 86400' },
    { args: ['--min-size', '1.5'], hint: 'a whole number' },
    { args: ['--min-growth', ''], hint: 'a whole number' },
    { args: ['--json-ms', '1e3'], hint: 'a number from 0.1' },
  ])('$args', async ({ args, hint }) => {
    const { code, stdout, stderr } = await runNode([CLI, 'doctor', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(hint);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('and --help tells the options', async () => {
    const { code, stdout } = await runNode([CLI, 'doctor', '--help']);
    expect(code).toBe(0);
    for (const option of [
      '--port',
      '--host',
      '--pid',
      '--open',
      '--duration',
      '--deep',
      '--json-ms',
      '--json',
    ]) {
      expect(stdout).toContain(option);
    }
  });
});

describe('refuses with 3', () => {
  test('where there is no inspector, and tells how to have one', async () => {
    const port = await freePort();
    const { code, stdout, stderr } = await runNode([CLI, 'doctor', String(port)]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(`node --inspect=127.0.0.1:${port}`);
    expect(stderr).toContain('kill -USR1');
    expect(stderr).toContain('never be reachable from outside');
  });

  test('where something else listens', async () => {
    const server = createServer((_request, response) => response.end('[{"id":"../../elsewhere"}]'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await runNode([CLI, 'doctor', '-p', String(port)]);
    server.close();
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('It names no target') });
  });

  test('a port of another process than the one that is meant', async () => {
    const [service, other] = [await start({ 'a.js': IDLE }), await start({ 'b.js': IDLE })];
    const args = ['--pid', String(other.pid), '--open', '--port', String(service.port)];
    const { code, stderr } = await runNode([CLI, 'doctor', ...args]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining(`is of process ${service.pid}`),
    });
  });

  posix('a process that the signal would end, and leaves it alone', async () => {
    const child = spawn('sleep', ['60']);
    const args = ['--pid', String(child.pid), '--open', '--port', String(await freePort())];
    const { code, stderr } = await runNode([CLI, 'doctor', ...args]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('is no Node.js process') });
    expect({ exit: child.exitCode, signal: child.signalCode }).toEqual({ exit: null, signal: null });
    child.kill('SIGKILL');
  });

  test('a process that opens its inspector elsewhere, and says so', async () => {
    const [there, here] = [await freePort(), await freePort()];
    const service = await start({ 'service.js': `${IDLE} console.log('ready');` }, [
      `--inspect-port=127.0.0.1:${there}`,
    ]);
    await service.says(/ready/);
    const { code, stderr } = await runNode([
      CLI,
      'doctor',
      '--pid',
      String(service.pid),
      '--open',
      '-p',
      String(here),
    ]);
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining(`is not at 127.0.0.1:${here}`),
    });
  });

  test('a process that is not there', async () => {
    const args = ['--pid', '2147483000', '--open', '--port', String(await freePort())];
    const { code, stderr } = await runNode([CLI, 'doctor', ...args]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('2147483000') });
  });
});

describe('the way to the inspector', () => {
  test.each(['kept to its end', 'killed'])(
    'is opened by --open and closed again, the doctor %s',
    async (how) => {
      const port = await freePort();
      const service = await start({ 'service.js': `${IDLE} console.log('ready');` }, [
        `--inspect-port=127.0.0.1:${port}`,
      ]);
      await service.says(/ready/);
      expect(await isOpen(port)).toBe(false);
      const args = [CLI, 'doctor', '--pid', String(service.pid), '--open', '--port', String(port), '--json'];
      if (how === 'killed') {
        const child = spawn(process.execPath, [...args, '-t', '600'], { stdio: 'ignore' });
        await eventually(() => service.stderr().includes('Debugger attached'));
        // It may still be on its way to the lease that closes it.
        await new Promise((resolve) => setTimeout(resolve, 2000));
        child.kill('SIGKILL');
      } else {
        const { code, stdout } = await runNode([...args, '-t', '1']);
        expect(code).toBe(0);
        expect((JSON.parse(stdout) as Report).service.pid).toBe(service.pid);
      }
      await eventually(async () => !(await isOpen(port)));
    },
  );

  test('is left open where it was', async () => {
    const service = await start({ 'service.js': IDLE });
    const args = ['--pid', String(service.pid), '--open', '-t', '1', '--port', String(service.port)];
    expect((await runNode([CLI, 'doctor', ...args])).code).toBe(0);
    expect(await isOpen(service.port)).toBe(true);
  });

  test.each(['localhost', '127.0.0.1'])('goes over the loopback address %s', async (host) => {
    expect((await examine(await start({ 'service.js': IDLE }), '--host', host, '-t', '1')).findings).toEqual(
      [],
    );
  });

  test("is Node's own WebSocket where there is one, and the package ws elsewhere", async () => {
    const { folder, remove } = temporaryFolder();
    copyInto(folder, 'dist', 'package.json');
    const { port } = await start({ 'service.js': IDLE });
    const { code, stderr } = await runNode(
      [join(folder, 'dist', 'cli.js'), 'doctor', String(port), '-t', '1'],
      { cwd: folder },
    );
    remove();
    if ('WebSocket' in globalThis || Number(process.versions.node.split('.')[0]) >= 22) expect(code).toBe(0);
    else
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: expect.stringContaining('npm install --save-dev ws'),
      });
  });
});

describe('growth', () => {
  const sizes = (size: (index: number) => number, length = 15) =>
    Array.from({ length }, (_, index) => size(index));

  test.each([
    { what: 'steady', series: sizes((i) => 100 + i), is: true },
    { what: 'in steps', series: sizes((i) => 100 + 10 * Math.floor(i / 3)), is: true },
    { what: 'with losses in between', series: sizes((i) => 100 + 20 * i + (i % 2) * 30), is: true },
    { what: 'too little', series: sizes((i) => 100 + i / 2), is: false },
    { what: 'until it is full', series: sizes((i) => Math.min(100 + 20 * i, 250)), is: false },
    { what: 'once', series: sizes((i) => (i < 7 ? 100 : 200)), is: false },
    { what: 'with a break', series: sizes((i) => 100 + 10 * (i < 5 ? i : Math.max(4, i - 4))), is: true },
    { what: 'in the end only', series: sizes((i) => 100 + 20 * Math.max(0, i - 8)), is: false },
    { what: 'slowly over many sizes', series: sizes((i) => 100 + Math.floor(i / 10), 600), is: true },
    { what: 'and falls', series: sizes((i) => 100 + 10 * (i % 5)), is: false },
    { what: 'seen too shortly', series: [1, 20, 40, 60, 80], is: false },
    { what: 'of nothing', series: [], is: false },
  ])('$what: $is', ({ series, is }) => {
    expect(grows(series, 10)).toBe(is);
  });
});
