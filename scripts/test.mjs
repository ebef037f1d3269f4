// npm test: everything that CI checks, from a fresh clone on.

import { again } from './again.mjs';
import { facadeSpecs, specsOnBounds } from './nodes.mjs';
import { setUpServers } from './servers.mjs';
import { service, setUpService } from './service.mjs';
import { setUp } from './setup.mjs';
import { runTests } from './steps.mjs';

/** Fuzz targets rot unless something compiles them; `scripts/fuzz.mjs` runs them. */
const fuzzTargets = {
  name: 'fuzz targets compile',
  command: ['cargo', 'check', '--quiet', '--locked', '--manifest-path', 'fuzz/Cargo.toml', '--bins'],
  // Nothing is linked, so that libFuzzer need not be built, which takes a C++ compiler and half a minute.
  env: { RUSTFLAGS: '--cfg fuzzing', CUSTOM_LIBFUZZER_PATH: 'unused/libfuzzer.a' },
};

/** Apart from the rest, all of which would have to be compiled anew. */
const loomModels = {
  name: 'loom models',
  command: ['cargo', 'test', '--package', 'keelson-shared-cache', '--test', 'loom', '--quiet'],
  env: { RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: 'target/loom' },
};

/** Mutated documents and random values that the JSON pool has to treat as JSON.parse and JSON.stringify do. */
const DIFFERENTIALS = '1000000';

const packageSpecs = ['npm', 'run', 'jest:package', '--', '--ci'];

process.exitCode = await runTests([
  ...setUp(),
  { name: 'lint', command: ['npm', 'run', 'lint'] },
  { name: 'licences', command: ['node', 'scripts/licences.mjs'] },
  { name: 'Rust tests', command: ['cargo', 'test', '--workspace', '--quiet'] },
  loomModels,
  fuzzTargets,
  ...setUpServers(),
  facadeSpecs(),
  ...specsOnBounds(),
  { name: 'JSON.parse differential', command: ['node', 'scripts/json-differential.mjs', DIFFERENTIALS] },
  {
    name: 'JSON.stringify differential',
    command: ['node', 'scripts/json-stringify-differential.mjs', DIFFERENTIALS],
  },
  { name: 'package specs', command: packageSpecs, again: again(() => packageSpecs) },
  ...setUpService(),
  {
    name: 'example service',
    command: ['npm', 'test'],
    cwd: service,
    again: again(() => ['npx', 'jest', '--ci']),
  },
]);
