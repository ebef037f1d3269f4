import { writeFileSync } from 'node:fs';
import { type Command, type ExitCode, Stop, type Terminal } from './command.js';
import { Capacity } from './load/capacity.js';
import { pageOf } from './load/html.js';
import { tableOf } from './load/lines.js';
import { HELP, type LoadOptions, loadOptions } from './load/options.js';
import { progressOn, SILENT } from './load/progress.js';
import type { LoadReport } from './load/report.js';

/** Finds the rate of requests that a service bears. */
export const load: Command = {
  summary: 'find the rate of requests at which a service keeps its SLO',
  help: HELP,
  async run(args, terminal) {
    const options = loadOptions(args);
    const progress = options.quiet ? SILENT : progressOn(terminal);
    const controller = new AbortController();
    // Once: a second Ctrl-C ends the program as it ends any other.
    const stop = () => controller.abort();
    process.once('SIGINT', stop).once('SIGTERM', stop);
    try {
      const report = await new Capacity(options, progress).run(controller.signal);
      progress.end();
      return tell(report, options, terminal);
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop);
    }
  },
};

function tell(report: LoadReport, { json, html }: LoadOptions, { out }: Terminal): ExitCode {
  if (json !== '-') for (const line of tableOf(report)) out(line);
  if (json !== undefined) {
    const text = JSON.stringify(report, null, 2);
    if (json === '-') out(text);
    else writeFileSync(json, `${text}\n`);
  }
  if (html !== undefined) writeFileSync(html, pageOf(report));
  if (report.steps.length === 0) throw new Stop(3, 'Interrupted before the first step was over');
  return report.knee === null ? 1 : 0;
}
