import type { Command } from './command.js';
import { examine } from './doctor/examine.js';
import { doctorOptions, HELP } from './doctor/options.js';
import { printReport, reportJson } from './doctor/report.js';
import { findTarget, isOpen, openInspector } from './doctor/target.js';

/** Finds what leaks and what blocks in a running service, through its inspector. */
export const doctor: Command = {
  summary: 'find Maps that only grow, timer leaks and blocking JSON in a running service',
  help: HELP,
  async run(args, terminal) {
    const options = doctorOptions(args);
    const opens = options.pid !== undefined && !(await isOpen(options));
    if (opens) openInspector(options.pid!);
    const report = await examine(await findTarget(options), options, opens, terminal);
    if (options.json) terminal.out(reportJson(report));
    else printReport(report, terminal);
    return report.findings.length === 0 ? 0 : 1;
  },
};
