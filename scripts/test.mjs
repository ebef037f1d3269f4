// npm test: everything that CI checks, from a fresh clone on.

import { specsOnBounds } from './nodes.mjs';
import { service, setUpService } from './service.mjs';
import { setUp } from './setup.mjs';
import { runTests } from './steps.mjs';

process.exitCode = await runTests([
  ...setUp(),
  { name: 'lint', command: ['npm', 'run', 'lint'] },
  { name: 'licences', command: ['node', 'scripts/licences.mjs'] },
  { name: 'Rust tests', command: ['cargo', 'test', '--workspace', '--quiet'] },
  { name: 'facade specs', command: ['npm', 'run', 'jest', '--', '--ci'] },
  ...specsOnBounds(),
  { name: 'package specs', command: ['npm', 'run', 'jest:package', '--', '--ci'] },
  ...setUpService(),
  { name: 'example service', command: ['npm', 'test'], cwd: service },
]);
