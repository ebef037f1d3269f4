const base = require('./jest.config.js');

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  roots: ['<rootDir>/__test__/package'],
  testPathIgnorePatterns: [],
  // Installing and type checking take seconds each.
  testTimeout: 120_000,
};
