import { escapeHtml } from './escape.js';
import { byRate, columnsOf } from './lines.js';
import { type Plot, type Point, svgOf } from './plot.js';
import type { LoadReport } from './report.js';
import type { Step } from './step.js';
import { STYLE } from './style.js';

/** The report as one page: no script, and nothing that has to be fetched, which its policy forbids as well. */
export function pageOf(report: LoadReport): string {
  const target = escapeHtml(`${report.method} ${report.url}`);
  const plots = plotsOf(report).map((plot, index) => figure(plot, `plot-${index}`));
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>Load on ${target}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Load on ${target}</h1>
<p class="knee">${kneeOf(report)}</p>
<p>${escapeHtml(report.summary)}</p>
${report.notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('\n')}
${plots.join('\n')}
${stepsTable(report)}
${settingsTable(report)}
</main>
</body>
</html>
`;
}

function kneeOf({ knee, outcome }: LoadReport): string {
  if (knee === null) return 'The SLO held at no rate';
  const atLeast = outcome === 'knee' ? '' : 'at least ';
  return `Knee: ${atLeast}<strong>${knee}</strong> requests a second`;
}

/** The points of a figure, where it is known. */
function pointsOf(steps: readonly Step[], figure: (step: Step) => number | null | undefined): Point[] {
  return steps.flatMap((step) => {
    const y = figure(step);
    return y === null || y === undefined ? [] : [{ x: step.rate, y, broken: step.breaks.length > 0 }];
  });
}

function plotsOf(report: LoadReport): Plot[] {
  const steps = byRate(report.steps);
  const plots: Plot[] = [
    {
      title: 'Latency',
      unit: 'ms',
      logarithmic: true,
      limit: { name: 'SLO for p99', y: report.settings.sloP99 },
      series: [
        { name: 'p50', points: pointsOf(steps, ({ latency }) => latency?.p50) },
        { name: 'p99', points: pointsOf(steps, ({ latency }) => latency?.p99) },
        { name: 'p99.9', points: pointsOf(steps, ({ latency }) => latency?.p999) },
      ],
    },
    {
      title: 'Achieved rate',
      unit: '1/s',
      series: [
        { name: 'asked', points: pointsOf(steps, ({ rate }) => rate) },
        { name: 'answered well in time', points: pointsOf(steps, ({ achieved }) => achieved) },
      ],
    },
    {
      title: 'Event-loop delay of the service',
      unit: 'ms',
      series: [
        { name: 'p99', points: pointsOf(steps, ({ service }) => service?.eventLoopDelayP99) },
        { name: 'mean', points: pointsOf(steps, ({ service }) => service?.eventLoopDelayMean) },
      ],
    },
    {
      title: 'Memory of the service',
      unit: 'MB',
      series: [
        { name: 'RSS', points: pointsOf(steps, ({ service }) => inMegabytes(service?.resident)) },
        { name: 'heap', points: pointsOf(steps, ({ service }) => inMegabytes(service?.heapUsed)) },
      ],
    },
  ];
  return plots
    .map((plot) => ({ ...plot, series: plot.series.filter(({ points }) => points.length > 0) }))
    .filter(({ series }) => series.length > 0);
}

const inMegabytes = (bytes: number | null | undefined) => (typeof bytes === 'number' ? bytes / 1e6 : null);

function figure(plot: Plot, id: string): string {
  const legend = plot.series.map(
    ({ name }, index) => `<span class="series-${index}"><span class="key"></span>${escapeHtml(name)}</span>`,
  );
  if (plot.series.some(({ points }) => points.some(({ broken }) => broken)))
    legend.push('<span>× broke the SLO</span>');
  return `<figure>
<figcaption>${escapeHtml(`${plot.title}, ${plot.unit}`)} <span class="legend">${legend.join(' ')}</span></figcaption>
${svgOf(plot, id)}
</figure>`;
}

function stepsTable(report: LoadReport): string {
  const columns = columnsOf(report);
  const head = columns.map(({ heading }) => `<th scope="col">${escapeHtml(heading)}</th>`);
  const rows = byRate(report.steps).map((step) => {
    const [first, ...rest] = columns.map(({ cell }) => escapeHtml(cell(step)));
    const held = step.breaks.length === 0 ? 'held' : 'broke';
    return `<tr class="${held}"><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return table('Steps', head.join(''), rows);
}

function settingsTable({ settings, started, ended }: LoadReport): string {
  const rows: [string, string | number][] = [
    ['SLO', `p99 of ${settings.sloP99} ms, ${settings.sloErrorsPercent} % errors`],
    [
      'Rates',
      `from ${settings.from}/s by ${settings.factor} to ${settings.max}/s, to ${settings.precisionPercent} %`,
    ],
    ['Step', `${settings.stepSeconds} s, after ${settings.warmupSeconds} s of warm-up`],
    ['Timeout', `${settings.timeoutSeconds} s`],
    ['Processes that send', settings.workers],
    ['Started', started],
    ['Ended', ended],
  ];
  return table(
    'Settings',
    '<th scope="col">Setting</th><th scope="col">Value</th>',
    rows.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeHtml(String(value))}</td></tr>`),
  );
}

/** Wide tables scroll by themselves on a phone, which a keyboard has to reach. */
function table(caption: string, head: string, rows: readonly string[]): string {
  return `<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table class="${caption.toLowerCase()}">
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>`;
}
