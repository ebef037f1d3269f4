// Writes monitoring/grafana/keelson.json, the dashboard that is shipped: node scripts/dashboard.mjs; with --print
// it is printed instead.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { dashboard } from './dashboard/layout.mjs';
import { data } from './dashboard/rowsOfData.mjs';
import { operations } from './dashboard/rowsOfOperations.mjs';
import { outputs } from './dashboard/rowsOfOutputs.mjs';
import { process } from './dashboard/rowsOfProcess.mjs';
import { requests } from './dashboard/rowsOfRequests.mjs';
import { work } from './dashboard/rowsOfWork.mjs';
import { root } from './lib.mjs';

/** A choice at the top, of values of a label. */
function variable(name, label, query) {
  return {
    name,
    label,
    type: 'query',
    datasource: { type: 'prometheus', uid: '$datasource' },
    definition: query,
    query: { query, refId: `variable-${name}` },
    current: { text: ['All'], value: ['$__all'] },
    includeAll: true,
    // A list of hundreds of instances would make long expressions.
    allValue: '.*',
    multi: true,
    options: [],
    refresh: 2,
    regex: '',
    sort: 1,
  };
}

const properties = {
  uid: 'keelson',
  title: 'keelson',
  description: 'Services that use keelson: their processes, and what its utilities do in them.',
  tags: ['keelson', 'nodejs'],
  schemaVersion: 39,
  version: 1,
  editable: true,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-3h', to: 'now' },
  timezone: 'browser',
  annotations: { list: [] },
  links: [],
  templating: {
    list: [
      {
        name: 'datasource',
        label: 'Data source',
        type: 'datasource',
        query: 'prometheus',
        current: {},
        options: [],
        refresh: 1,
      },
      variable('job', 'Job', 'label_values(nodejs_threads, job)'),
      variable('instance', 'Instance', 'label_values(nodejs_threads{job=~"$job"}, instance)'),
    ],
  },
};

const rows = [...process, ...requests, ...data, ...work, ...outputs, ...operations];
const text = `${JSON.stringify(dashboard(rows, properties), null, 2)}\n`;
// A spec holds what is there against this.
if (argv.includes('--print')) stdout.write(text);
else writeFileSync(join(root, 'monitoring', 'grafana', 'keelson.json'), text);
