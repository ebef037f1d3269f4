import { join } from 'node:path';
import { type ExitCode, Stop, type Terminal } from '../command.js';
import { writeAtomic } from './atomic.js';
import { type Check, checksOf, runChecks } from './checks.js';
import type { Swap } from './find.js';
import { uncommitted } from './git.js';
import { Journal } from './journal.js';
import { absoluteSpec, installCommand } from './manager.js';
import type { SwapOptions } from './options.js';
import { type Outcome, runProgram } from './programs.js';
import { hasKeelson, ownSpec, type Project } from './project.js';

/** Lines of a failed program's output that are shown. */
const TAIL = 40;

/** Every file that a swap may change, by absolute paths. */
function touched({ root, manager }: Project, swaps: readonly Swap[], install: boolean): string[] {
  const modules = swaps.map(({ path }) => join(root, path));
  return install ? [...modules, join(root, 'package.json'), manager.lock] : modules;
}

/** @throws Stop where the originals could not be had back by git */
export function refuseUnclean(project: Project, swaps: readonly Swap[], options: SwapOptions): void {
  if (!project.inGit) {
    throw new Stop(
      3,
      'This is no git repository. With --force it is done; the originals are in .keelson-swap/ then',
    );
  }
  const dirty = uncommitted(project.root, touched(project, swaps, needsInstall(project, options)));
  if (dirty.length > 0) {
    throw new Stop(
      3,
      `These have changes that are not committed: ${dirty.join(', ')}. Commit them, or use --force`,
    );
  }
}

/** Writes, installs and checks. Whether anything is to be written at all is settled by then. */
export async function apply(
  project: Project,
  swaps: readonly Swap[],
  options: SwapOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { root, manager, manifest } = project;
  const { out, err } = terminal;
  const install = needsInstall(project, options);
  const journal = new Journal(root);
  if (journal.interrupted) throw new Stop(3, 'An earlier swap was interrupted. Run: npx keelson swap --undo');
  const checks = options.check ? checksOf(root, manager, manifest) : [];
  const before = await runChecks(root, checks, (check, outcome) => out(lineOf('Before', check, outcome)));

  journal.keep(touched(project, swaps, install));
  try {
    for (const { path, after } of swaps) writeAtomic(join(root, path), after);
  } catch (error) {
    journal.undo();
    throw new Stop(1, `Nothing is changed: ${(error as Error).message}`);
  }
  if (install) {
    const specs = options.packages.length > 0 ? options.packages.map(absoluteSpec) : [ownSpec()];
    const { ok, output } = await runProgram(installCommand(manager, root, specs), root);
    if (!ok) {
      journal.undo();
      err(tailOf(output));
      throw new Stop(1, `${manager.name} could not install ${specs.join(' ')}: everything is as it was`);
    }
    out(`Installed by ${manager.name}: ${specs.join(' ')}`);
  }
  journal.finish();
  for (const { path } of swaps) out(`Swapped: ${path}`);

  const after = await runChecks(root, checks, (check, outcome) => out(lineOf('After', check, outcome)));
  const failed = checks.filter(({ title }) => !after.get(title)!.ok);
  for (const { title } of failed) err(`${title}:\n${tailOf(after.get(title)!.output)}`);
  const broken = failed.filter(({ title }) => before.get(title)!.ok);
  if (broken.length > 0) return await offerUndo(broken, journal, options, terminal);
  if (failed.length > 0) out('What fails now failed before too, so that it says nothing about the swap.');
  out('Take it back with: npx keelson swap --undo');
  return 0;
}

function needsInstall(project: Project, { install, packages }: SwapOptions): boolean {
  return install && (packages.length > 0 || !hasKeelson(project));
}

async function offerUndo(
  broken: readonly Check[],
  journal: Journal,
  { rollback, yes }: SwapOptions,
  { err, ask }: Terminal,
): Promise<ExitCode> {
  err(`Passed before the swap and fails now: ${broken.map(({ title }) => title).join(', ')}`);
  if (rollback || (!yes && ask !== undefined && (await ask('Take the swap back?')))) {
    journal.undo();
    err('The swap is taken back.');
  } else err('Take it back with: npx keelson swap --undo');
  return 1;
}

function lineOf(when: string, { title }: Check, { ok, seconds }: Outcome): string {
  return `${when} the swap: ${title} ${ok ? 'passed' : 'failed'} (${seconds.toFixed(1)} s)`;
}

const tailOf = (output: string) => output.trimEnd().split(/\r?\n/).slice(-TAIL).join('\n');
