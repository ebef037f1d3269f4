import { type Command, type ExitCode, Stop, type Terminal } from './command.js';
import { apply, refuseUnclean } from './swap/apply.js';
import { find } from './swap/find.js';
import { Journal } from './swap/journal.js';
import { HELP, type SwapOptions, swapOptions } from './swap/options.js';
import { type Project, projectAt, relativeFiles } from './swap/project.js';
import { planJson, printPlan } from './swap/report.js';

/** Replaces hand-written modules of a project by re-exports from keelson. */
export const swap: Command = {
  summary: 'replace the hand-written modules of a project by keelson',
  help: HELP,
  async run(args, terminal) {
    const options = swapOptions(args);
    const project = projectAt(options.folder);
    return options.undo ? await undo(project, options, terminal) : await plan(project, options, terminal);
  },
};

async function plan(project: Project, options: SwapOptions, terminal: Terminal): Promise<ExitCode> {
  const { root, inGit, hints } = project;
  const findings = await find(root, inGit, relativeFiles(root, options.files));
  if (options.json) {
    terminal.out(planJson(findings, root, hints));
    return 0;
  }
  printPlan(findings, terminal);
  for (const hint of hints) terminal.out(hint);
  const { swaps } = findings;
  if (swaps.length === 0 || options.dryRun) return 0;
  if (!options.yes && terminal.ask === undefined) {
    terminal.out('Nothing is written. To write it, run this again with --yes.');
    return 0;
  }
  if (!options.force) refuseUnclean(project, swaps, options);
  if (!options.yes && !(await terminal.ask?.(`Swap ${swaps.length} of these?`))) return 0;
  return await apply(project, swaps, options, terminal);
}

async function undo(project: Project, options: SwapOptions, terminal: Terminal): Promise<ExitCode> {
  const journal = new Journal(project.root);
  const { paths } = journal;
  if (paths.length === 0) {
    terminal.out('No swap to take back.');
    return 0;
  }
  const changed = journal.changedSince();
  if (changed.length > 0 && !options.force) {
    throw new Stop(
      3,
      `Changed after the swap, which would be lost: ${changed.join(', ')}. Use --force to lose it`,
    );
  }
  for (const path of paths) terminal.out(`${options.dryRun ? 'Would go back' : 'Back'}: ${path}`);
  if (options.dryRun) return 0;
  journal.undo();
  terminal.out(
    `As it was before. node_modules is left alone: run ${project.manager.name} install to clean it up.`,
  );
  return 0;
}
