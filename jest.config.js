/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/__test__'],
  testMatch: ['**/*.spec.ts'],
  // These install the packed tarballs; `npm run jest:package` and `npm test` run them.
  testPathIgnorePatterns: ['<rootDir>/__test__/package/'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  moduleNameMapper: { '^keelson$': '<rootDir>/index.js' },
  // For what hangs, and longer than a process that hangs is given (support/process.ts).
  testTimeout: 65_000,
  // Each crash test below starts processes of its own; two at a time is what a small CI machine bears.
  maxWorkers: 2,
};
