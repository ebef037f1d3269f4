import { LIMIT, runJest } from './support/jest';

test(
  '50 spec files in one process, with resetModules, end by themselves',
  () => runJest(true),
  LIMIT + 10_000,
);
