import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Stop } from '../command.js';
import type { DoctorOptions } from './options.js';

/** How long an inspector may take to answer, and to open, in milliseconds. */
const PATIENCE = 5000;

const urlHost = (host: string) => (host.includes(':') ? `[${host}]` : host);

function textOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: PATIENCE, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('It does not answer')));
    request.on('error', reject);
  });
}

/** The id of the inspector's only target. It is asked for as one has to know it: nobody connects by accident. */
async function targetId(host: string, port: number): Promise<string> {
  const targets = JSON.parse(await textOf(`http://${urlHost(host)}:${port}/json/list`)) as unknown;
  const id = Array.isArray(targets) ? (targets[0] as { id?: unknown })?.id : undefined;
  if (typeof id !== 'string' || !/^[\w-]+$/.test(id)) throw new Error('It names no target');
  return id;
}

/** Whether an inspector answers there already. */
export async function isOpen({ host, port }: DoctorOptions): Promise<boolean> {
  return await targetId(host, port).then(
    () => true,
    () => false,
  );
}

/** The address of the service's inspector. */
export async function findTarget({ host, port, pid }: DoctorOptions): Promise<string> {
  const end = Date.now() + (pid === undefined ? 0 : PATIENCE);
  for (;;) {
    try {
      return `ws://${urlHost(host)}:${port}/${await targetId(host, port)}`;
    } catch (error) {
      if (Date.now() >= end)
        throw new Stop(
          3,
          pid === undefined ? notReachable(host, port, error as Error) : elsewhere(host, port, pid),
        );
      await sleep(50);
    }
  }
}

function notReachable(host: string, port: number, { message }: Error): string {
  return [
    `No inspector at ${host}:${port} (${message}).`,
    `Start the service with: node --inspect=127.0.0.1:${port} …`,
    'or open the inspector of one that runs: kill -USR1 <pid>, or keelson doctor --pid <pid> --open.',
    'An inspector runs any code for whoever reaches it: its port must never be reachable from outside.',
  ].join('\n');
}

function elsewhere(host: string, port: number, pid: number): string {
  return `Process ${pid} was told to open its inspector, which is not at ${host}:${port}. If its output says "Debugger listening on ws://…", name that port; the inspector stays open until the process ends`;
}

/** Has a process open its inspector, as `node inspect -p` does. */
export function openInspector(pid: number): void {
  if (!takesSignal(pid)) {
    throw new Stop(3, `Process ${pid} is no Node.js process that opens an inspector: SIGUSR1 would end it`);
  }
  try {
    // On Windows, where there is no such signal, this asks Node's own handler.
    (process as unknown as { _debugProcess(pid: number): void })._debugProcess(pid);
  } catch (error) {
    throw new Stop(3, `The inspector of process ${pid} cannot be opened: ${(error as Error).message}`);
  }
}

/** Whether a process has a handler for SIGUSR1, without which that signal ends it. */
function takesSignal(pid: number): boolean {
  if (process.platform === 'win32') return true;
  try {
    if (process.platform === 'linux') {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
      return ((caught >> 9n) & 1n) === 1n;
    }
    const command = execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
    return /(^|\/)node\s*$/.test(command);
  } catch {
    throw new Stop(3, `There is no process ${pid} that you may look at`);
  }
}
