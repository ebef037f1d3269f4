// npm test: everything that CI checks, from a fresh clone on.

import { NEWEST, OLDEST, specsOn } from './nodes.mjs';
import { setUp } from './setup.mjs';
import { runSteps } from './steps.mjs';

const installed = Number(process.versions.node.split('.')[0]);

process.exitCode = await runSteps([
  ...setUp(),
  { name: 'lint', command: ['npm', 'run', 'lint'] },
  { name: 'licences', command: ['node', 'scripts/licences.mjs'] },
  { name: 'Rust tests', command: ['cargo', 'test', '--workspace', '--quiet'] },
  { name: 'facade specs', command: ['npm', 'run', 'jest', '--', '--ci'] },
  ...[OLDEST, NEWEST].filter((major) => major !== installed).map(specsOn),
  { name: 'package specs', command: ['npm', 'run', 'jest:package', '--', '--ci'] },
]);
