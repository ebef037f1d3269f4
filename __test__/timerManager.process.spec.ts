import { evaluate, root, runNode } from './support/process';

const prelude = `const { TimerManager } = require(${JSON.stringify(root)}); const timers = new TimerManager();`;
const run = <T>(body: string): Promise<T> => evaluate<T>(`${prelude}${body}`);

test('a throwing callback reaches uncaughtException, loses no slot, and lets the rest of its batch run', async () => {
  const result = await run(`
    const log = [];
    process.on('uncaughtException', (error) => log.push(error.message));
    timers.setTimeout(() => { log.push('first'); throw new Error('one'); }, 5);
    timers.setTimeout(() => { log.push('second'); throw new Error('two'); }, 5);
    timers.setTimeout(() => log.push('third'), 5);
    let ticks = 0;
    const interval = timers.setInterval(() => {
      if (++ticks === 3) timers.clearInterval(interval);
      throw new Error('tick ' + ticks);
    }, 10);
    process.on('exit', () => console.log(JSON.stringify({ log, stats: timers.getStats(), failed: timers.metrics().failed })));
  `);
  expect(result).toEqual({
    log: ['first', 'one', 'second', 'two', 'third', 'tick 1', 'tick 2', 'tick 3'],
    stats: { timeouts: 0, intervals: 0, total: 0 },
    failed: 5,
  });
});

test('without a handler the error ends the process as with Node', async () => {
  const { code, stderr } = await runNode([
    '-e',
    `${prelude} timers.setTimeout(() => { throw new Error('fatal'); }, 1);`,
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain('Error: fatal');
});

test('a pending timer keeps the process alive, an unref timer and a paused manager do not', async () => {
  const result = await run(`
    const log = [];
    timers.setTimeout(() => log.push('kept'), 20);
    timers.setTimeout(() => log.push('never'), 3e5).unref();
    timers.every(() => log.push('never'), 3e5, { unref: true });
    const paused = new TimerManager();
    paused.setTimeout(() => log.push('never'), 1);
    paused.pause();
    process.on('exit', () => console.log(JSON.stringify(log)));
  `);
  expect(result).toEqual(['kept']);
});

test('ref after unref keeps the process alive again', async () => {
  const result = await run(`
    const log = [];
    timers.setTimeout(() => log.push('kept'), 20).unref().ref();
    process.on('exit', () => console.log(JSON.stringify(log)));
  `);
  expect(result).toEqual(['kept']);
});

const signals = process.platform === 'win32' ? describe.skip : describe;
signals('shutdownOn', () => {
  const signal = (body: string) =>
    runNode([
      '-e',
      `${prelude} timers.shutdownOn(['SIGTERM']); timers.setInterval(() => {}, 1000);${body}
      process.on('exit', () => console.log(timers.getStats().total));
      setImmediate(() => process.kill(process.pid, 'SIGTERM'));`,
    ]);

  test('destroys the manager, and lets the signal do what it does', async () => {
    expect(await signal('')).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test.each(['on', 'once'])("leaves the rest to the service's own handler (%s)", async (method) => {
    const outcome = await signal(
      `process.${method}('SIGTERM', () => setTimeout(() => console.log('drained'), 20));`,
    );
    expect(outcome).toMatchObject({ code: 0, signal: null, stdout: 'drained\n0\n' });
  });

  test('can be taken back', async () => {
    const outcome = await signal(`
      timers.shutdownOn(['SIGTERM', 'SIGINT'])();
      console.log(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT'));`);
    // Only what that call added: the manager's first call still holds.
    expect(outcome).toMatchObject({ signal: 'SIGTERM', stdout: '1\n' });
  });
});

test('a refreshed timer is unref as it was before it fired', async () => {
  const result = await run(`
    let beats = 0;
    const heartbeat = timers.setTimeout(() => { beats++; heartbeat.refresh(); }, 5).unref();
    const scheduled = timers.schedule(() => { beats++; scheduled.refresh(); }, 5, { unref: true });
    timers.setTimeout(function () { beats++; this.refresh(); }, 5).unref();
    timers.setTimeout(() => {}, 30);
    process.on('exit', () => console.log(JSON.stringify(beats > 0)));
  `);
  expect(result).toBe(true);
});

test('a manager that was let go of lives as long as its timers and no longer', async () => {
  const { code, stdout } = await runNode([
    '--expose-gc',
    '-e',
    `${prelude}
    const idle = [];
    const busy = [];
    (() => {
      for (let count = 0; count < 20; count++) {
        const one = new TimerManager();
        one.clearTimeout(one.setTimeout(() => {}, 60_000));
        idle.push(new WeakRef(one));
        const other = new TimerManager();
        other.setTimeout(() => busy.push(count), 40).unref();
      }
    })();
    timers.setTimeout(() => { gc(); }, 5);
    timers.setTimeout(() => {
      gc();
      console.log(JSON.stringify([idle.filter((reference) => reference.deref()).length, busy.length]));
    }, 80);`,
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '[0,20]\n' });
});

test('a subscriber hears events that nobody listened to before', async () => {
  const { code, stdout, stderr } = await runNode([
    '--expose-gc',
    '-e',
    `${prelude}
    const { subscribe } = require('node:diagnostics_channel');
    const fill = () => {
      const manager = new TimerManager({ maxTimers: 5 });
      for (let count = 0; count < 5; count++) manager.setTimeout(() => {}, 60_000);
      manager.destroy();
    };
    fill();
    setImmediate(async () => {
      // What was let go of is collected here, but its finalizers run later: when there is a subscriber.
      gc();
      let heard = 0;
      subscribe('keelson:timer:pressure', () => heard++);
      await new Promise((resolve) => {
        globalThis.last = new FinalizationRegistry(resolve);
        (() => last.register({}, 'last'))();
        gc();
      });
      fill();
      console.log(heard);
    });`,
  ]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '1\n', stderr: '' });
});

test('many throwing callbacks hold nobody up', async () => {
  const result = await run(`
    let errors = 0;
    process.on('uncaughtException', () => errors++);
    const from = performance.now();
    for (let count = 0; count < 500; count++) timers.setTimeout(() => { throw new Error('x'); }, 5);
    timers.setTimeout(() => console.log(JSON.stringify({ errors, slow: performance.now() - from > 400 })), 5);
  `);
  expect(result).toEqual({ errors: 500, slow: false });
});

test('a worker thread has timers of its own, and ends with them pending', async () => {
  const result = await evaluate(`
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(${JSON.stringify(`
      const { parentPort } = require('node:worker_threads');
      ${prelude}
      timers.setInterval(() => {}, 1);
      timers.setTimeout(() => parentPort.postMessage('fired'), 5);
    `)}, { eval: true });
    worker.once('message', async (message) => {
      console.log(JSON.stringify([message, await worker.terminate()]));
    });
  `);
  expect(result).toEqual(['fired', 1]);
});
