import type { Terminal } from '../command.js';
import type { Finding } from './findings.js';
import type { Place } from './places.js';

/** All that the doctor has to tell. */
export interface Report {
  service: { pid: number; node: string; script: string };
  seconds: number;
  threads: string[];
  findings: Finding[];
  /** What was not seen. */
  remarks: string[];
  /** What looking has cost the service: its time for stacks, and the longest stop, in milliseconds. */
  cost: { stacksMs: number; longestPauseMs: number };
}

export function reportJson(report: Report): string {
  return JSON.stringify(report, null, 2);
}

/** Prints the report, for people. */
export function printReport(
  { service, seconds, threads, findings, remarks, cost }: Report,
  { out }: Terminal,
): void {
  out(
    `Process ${service.pid} (Node.js ${service.node}, ${service.script}), ${threads.length} ${threads.length === 1 ? 'thread' : 'threads'}, ${seconds.toFixed(1)} s`,
  );
  for (const { severity, thread, title, places, others, path, advice } of findings) {
    out('');
    out(`${severity === 'high' ? '[high]  ' : '[medium]'} ${title}`);
    const [place, ...callers] = places;
    out(`  in    ${thread}`);
    out(`  at    ${place ? shown(place) : 'a place that was not seen'}`);
    if (place?.source) out(`        ${place.source}`);
    for (const caller of callers) out(`  from  ${shown(caller)}`);
    for (const other of others) out(`  also  ${shown(other)}`);
    if (path !== undefined) out(`  held  ${path}`);
    out(`  mend  ${advice}`);
  }
  out('');
  for (const remark of remarks) out(`Not seen: ${remark}`);
  out(findings.length === 0 ? 'Nothing found.' : `${findings.length} found.`);
  out(
    `It cost the service ${cost.stacksMs.toFixed(1)} ms for stacks${cost.longestPauseMs > 0 ? `, and a pause of ${cost.longestPauseMs.toFixed(0)} ms at most` : ''}.`,
  );
}

function shown({ name, file, line, column }: Place): string {
  const at = `${file}:${line}:${column}`;
  return name === '' ? at : `${name} (${at})`;
}
