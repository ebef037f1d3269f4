// Panels of Grafana's JSON model (classic, schema 39: Grafana 10.4 and later), without their places.

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

const targets = (expressions, more) =>
  expressions.map(([expr, legendFormat = ''], index) => ({
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    legendFormat,
    refId: String.fromCharCode(65 + index),
    ...more,
  }));

/** Green, from the first value on yellow, from the second on red; or the other way round, where little is bad. */
const steps = (values, colors) =>
  [null, ...values].map((value, index) => ({ color: colors[index % colors.length], value }));

/** What is the same of all panels. */
function base(type, title, description, { unit = 'short', warn = [], low = false, min, max, ...more }) {
  const colors = low ? ['red', 'yellow', 'green'] : ['green', 'yellow', 'red'];
  // One bound alone is between good and bad.
  const used = warn.length === 1 ? [colors[0], colors[2]] : colors;
  return {
    type,
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        thresholds: { mode: 'absolute', steps: steps(warn, used) },
        ...more,
      },
      overrides: [],
    },
  };
}

/** Lines over time. Bounds of `warn` are drawn. */
export function lines(title, description, options, ...expressions) {
  const { stack = false, warn = [], ...more } = options;
  const custom = {
    drawStyle: 'line',
    fillOpacity: stack ? 30 : 8,
    lineWidth: 1,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: warn.length === 0 ? 'off' : 'dashed' },
  };
  return {
    ...base('timeseries', title, description, { min: 0, ...more, warn, custom }),
    options: {
      legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'], showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: targets(expressions),
    size: [8, 8],
  };
}

/** One number as of now. */
export function number(title, description, options, expression) {
  return {
    ...base('stat', title, description, options),
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: options.warn === undefined ? 'none' : 'background',
      graphMode: 'area',
      justifyMode: 'auto',
      textMode: 'auto',
    },
    targets: targets([[expression]]),
    size: [4, 4],
  };
}

/** States over time, by their places: each has a text and a colour. */
export function states(title, description, names, expression) {
  const options = Object.fromEntries(
    names.map(([text, color], index) => [String(index), { text, color, index }]),
  );
  const custom = { fillOpacity: 80, lineWidth: 0, spanNulls: false };
  return {
    ...base('state-timeline', title, description, { mappings: [{ type: 'value', options }], custom }),
    options: {
      alignValue: 'left',
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      mergeValues: true,
      rowHeight: 0.9,
      showValue: 'auto',
      tooltip: { mode: 'single', sort: 'none' },
    },
    targets: targets([expression]),
    size: [8, 8],
  };
}

/** A table with a column for each expression, by the labels that all have. */
export function table(title, description, columns) {
  const panel = base('table', title, description, { custom: { align: 'auto', filterable: true } });
  const names = Object.entries(columns);
  panel.fieldConfig.overrides = names.map(([name, { unit }], index) => ({
    matcher: { id: 'byName', options: `Value #${String.fromCharCode(65 + index)}` },
    properties: [
      { id: 'displayName', value: name },
      { id: 'unit', value: unit },
    ],
  }));
  return {
    ...panel,
    options: { cellHeight: 'sm', footer: { show: false }, showHeader: true },
    transformations: [
      { id: 'merge', options: {} },
      { id: 'organize', options: { excludeByName: { Time: true }, indexByName: {}, renameByName: {} } },
    ],
    targets: targets(
      names.map(([, { expression }]) => [expression]),
      { format: 'table', instant: true, range: false },
    ),
    size: [24, 9],
  };
}
