import { pathStem, stemOf } from './modules.js';

const MOCK = /\b(?:jest|vi)\s*\.\s*(?:mock|doMock|setMock|unstable_mockModule)\s*\(\s*(['"`])([^'"`\n]+)\1/g;

/** The modules that a test replaces, by the last part of their paths: aliases lead to them in ways of their own. */
export function mockedModules(text: string): string[] {
  return [...text.matchAll(MOCK)].map(([, , path]) => path!);
}

/** Whether the path that a mock names may be the file. */
export function maybeSame(mocked: string, file: string): boolean {
  if (!/[./@~#]/.test(mocked)) return false;
  const stem = pathStem(file);
  const last = mocked
    .replace(/\/index(?:\.[cm]?[jt]s)?$/, '')
    .split('/')
    .at(-1)!;
  return stemOf(last.replace(/\.[cm]?[jt]s$/, '')) === stem;
}

/** A file of `__mocks__` that stands in for the file. */
export function isManualMock(path: string, file: string): boolean {
  return /(?:^|\/)__mocks__\//.test(path) && pathStem(path) === pathStem(file);
}
