#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Command, type ExitCode, Stop, type Terminal } from './cli/command.js';
import { config } from './cli/config.js';
import { doctor } from './cli/doctor.js';
import { load } from './cli/load.js';
import { swap } from './cli/swap.js';

const COMMANDS: Readonly<Record<string, Command>> = { config, doctor, load, swap };

function version(): string {
  return (JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string })
    .version;
}

function help(): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return [
    'Usage: keelson <command> [options]',
    '',
    'Commands:',
    ...commands,
    '',
    'Options:',
    '  -h, --help     what a command does: keelson <command> --help',
    '  -v, --version  the version of keelson',
  ].join('\n');
}

async function ask(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

/** A line that does not fit would be wrapped, and its beginning stay. */
function status(line: string): void {
  process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
}

const terminal: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
  ...(process.stderr.isTTY ? { status } : {}),
};

async function main([name, ...args]: string[]): Promise<ExitCode> {
  if (name === undefined || name === '--help' || name === '-h') {
    terminal.out(help());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    terminal.out(version());
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Stop(2, `'${name}' is no command of keelson. Try: keelson --help`);
  if (args.includes('--help') || args.includes('-h')) {
    terminal.out(command.help);
    return 0;
  }
  return await command.run(args, terminal);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof Stop)) throw error;
    terminal.err(`keelson: ${error.message}`);
    process.exitCode = error.exitCode;
  },
);
