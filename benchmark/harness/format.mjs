/** Three significant digits, thousands apart: 0.0123, 4.56, 78.9, 12,300. */
export function number(value) {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** An advantage in the metric's own terms: `1.45x`, or `+9.8 points` for a difference. */
export function advantage(metric, value) {
  if (metric.compare === 'difference') {
    return `${value >= 0 ? '+' : ''}${value.toFixed(1)} ${metric.differenceUnit}`;
  }
  return `${number(value)}x`;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
