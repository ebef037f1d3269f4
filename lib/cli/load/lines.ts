import type { LoadReport } from './report.js';
import { round, type Step } from './step.js';

/** A column of the tables: its heading, and what a step says there. */
export interface Column {
  readonly heading: string;
  readonly cell: (step: Step) => string;
}

const UNKNOWN = '-';

const figure = (value: number | null | undefined, show: (value: number) => string = round) =>
  value === null || value === undefined ? UNKNOWN : show(value);

export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** The tables of the terminal and of the page. The service's own figures are left out if it told none. */
export function columnsOf({ steps }: LoadReport): Column[] {
  const columns: Column[] = [
    { heading: 'rate/s', cell: ({ rate }) => String(rate) },
    { heading: 'achieved/s', cell: ({ achieved }) => round(achieved) },
    { heading: 'p50 ms', cell: ({ latency }) => figure(latency?.p50) },
    { heading: 'p99 ms', cell: ({ latency }) => figure(latency?.p99) },
    { heading: 'p99.9 ms', cell: ({ latency }) => figure(latency?.p999) },
    { heading: 'errors %', cell: ({ errors }) => round(errors.percent) },
  ];
  if (steps.some(({ service }) => service !== null)) {
    columns.push(
      { heading: 'loop delay ms', cell: ({ service }) => figure(service?.eventLoopDelayP99) },
      { heading: 'RSS MB', cell: ({ service }) => figure(service?.resident, megabytes) },
      { heading: 'CPU %', cell: ({ service }) => figure(service?.cpu, (cpu) => round(cpu * 100)) },
    );
  }
  columns.push({ heading: 'SLO', cell: ({ breaks }) => breaks[0]?.limit ?? 'held' });
  return columns;
}

export const byRate = (steps: readonly Step[]): Step[] => [...steps].sort((a, b) => a.rate - b.rate);

/** The report for a terminal. */
export function tableOf(report: LoadReport): string[] {
  const columns = columnsOf(report);
  const rows = byRate(report.steps).map((step) => columns.map(({ cell }) => cell(step)));
  const table = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, index) => Math.max(...table.map((row) => (row[index] as string).length)));
  const lines = table.map((row) =>
    row.map((cell, index) => cell.padStart(widths[index] as number)).join('  '),
  );
  return [
    `${report.method} ${report.url}`,
    '',
    ...(rows.length === 0 ? [] : [...lines, '']),
    report.summary,
    ...report.notes,
  ];
}

/** A step in a line, as it ends. */
export function stepLine({ rate, achieved, latency, errors, breaks }: Step): string {
  const { p50, p99, p999 } = latency ?? {};
  const said = breaks.length === 0 ? 'held' : `broke: ${breaks.map(({ message }) => message).join('; ')}`;
  return `${rate}/s: achieved ${round(achieved)}, p50 ${figure(p50)} ms, p99 ${figure(p99)} ms, p99.9 ${figure(p999)} ms, errors ${round(errors.percent)} %: ${said}`;
}
