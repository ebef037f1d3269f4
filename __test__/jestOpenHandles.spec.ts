import { LIMIT, runJest } from './support/jest';

test(
  '--detectOpenHandles finds nothing in 50 spec files',
  () => runJest(false, '--detectOpenHandles'),
  LIMIT + 10_000,
);
