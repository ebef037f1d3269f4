import { once } from 'node:events';
import { Stop, type Terminal } from '../command.js';
import { Connection, type WorkerInfo } from './connection.js';
import { findingsOf, sorted } from './findings.js';
import type { DoctorOptions } from './options.js';
import { Places } from './places.js';
import type { Report } from './report.js';
import type { Session } from './session.js';
import { type Look, Thread } from './thread.js';

interface Service {
  pid: number;
  node: string;
  script: string;
  folder: string;
}

/** Samples that are taken at least. */
const STEPS = 15;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const SERVICE = `({
  pid: process.pid, node: process.versions.node, script: process.argv[1] ?? 'no script', folder: process.cwd(),
})`;

/** Looks at all threads of a service for as long as asked, or until a signal, and reports. */
export async function examine(
  url: string,
  options: DoctorOptions,
  closeInspector: boolean,
  { err }: Terminal,
): Promise<Report> {
  const stop = new AbortController();
  const connection = await Connection.open(url, () => stop.abort());
  const interrupted = () => {
    if (stop.signal.aborted) process.exit(3);
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  try {
    const service = await serviceOf(connection.main, options);
    err(`Looking at process ${service.pid} for ${options.durationMs / 1000} s. Ctrl+C ends early.`);
    const looks = await lookAt(connection, options, closeInspector, stop);
    return reportOf(service, looks, options);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    connection.close();
  }
}

async function serviceOf(main: Session, { pid }: DoctorOptions): Promise<Service> {
  const service = await main.evaluate<Service>(SERVICE).catch((error: Error) => {
    throw new Stop(3, `The service does not answer: ${error.message}. Has another debugger stopped it?`);
  });
  if (pid !== undefined && service.pid !== pid) {
    throw new Stop(
      3,
      `The inspector at this port is of process ${service.pid}, not of ${pid}: name its port too`,
    );
  }
  return service;
}

/** Begins with each thread as it comes, and ends with all of them at once. */
async function lookAt(
  connection: Connection,
  options: DoctorOptions,
  closeInspector: boolean,
  stop: AbortController,
): Promise<Look[]> {
  const stepMs = Math.min(1000, options.durationMs / STEPS);
  const look = async (thread: Thread) => {
    await thread.watch(stepMs, stop.signal);
    return await thread.end();
  };
  const first = new Thread(connection.main, 'the main thread', options);
  if (!(await first.begin(closeInspector))) {
    throw new Stop(3, 'Another doctor looks at this service, or one was killed within the last seconds');
  }
  const looks: Promise<Look | undefined>[] = [look(first)];
  const begin = async (session: Session, { title, url }: WorkerInfo) => {
    const thread = new Thread(session, `${title} ${url}`, options);
    return (await thread.begin(false)) ? await look(thread) : undefined;
  };
  const end = setTimeout(() => stop.abort(), options.durationMs);
  await connection
    .workers((session, info) => {
      if (!stop.signal.aborted) looks.push(begin(session, info));
    })
    .catch((error: unknown) => first.remark(error));
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  clearTimeout(end);
  return (await Promise.all(looks)).filter((look) => look !== undefined);
}

function reportOf(
  { pid, node, script, folder }: Service,
  looks: readonly Look[],
  options: DoctorOptions,
): Report {
  const places = new Places(folder);
  const ofThread = (thread: string, what: string) => `${thread} ${what}`;
  return {
    service: { pid, node, script },
    seconds: looks[0]!.seconds,
    threads: looks.map(({ thread }) => thread),
    findings: sorted(looks.flatMap((look) => findingsOf(look, options, places))),
    remarks: looks.flatMap(({ thread, remarks, notes }) => [
      ...remarks.map((remark) => ofThread(thread, remark)),
      ...(notes?.unseen ?? []).map((name) => ofThread(thread, `has a ${name} that cannot be replaced`)),
      ...(notes?.left ?? []).map((name) =>
        ofThread(
          thread,
          `has had its ${name} replaced meanwhile by something that calls the doctor's, which only passes calls on now`,
        ),
      ),
    ]),
    cost: {
      stacksMs: looks.reduce((sum, { notes }) => sum + (notes?.spentMs ?? 0), 0),
      longestPauseMs: Math.max(...looks.map(({ pauseMs }) => pauseMs)),
    },
  };
}
