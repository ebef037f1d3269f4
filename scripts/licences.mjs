// Checks that everything that users install with keelson has a licence that they can accept:
// the crates linked into the addon, and the npm packages that keelson depends on, which are its own.
import { join } from 'node:path';
import { manifest, readJson, root, run } from './lib.mjs';

const ACCEPTED = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'ISC',
  'MIT',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
]);

/** Whether an SPDX expression can be met: some side of each OR, every side of each AND. No crate nests more. */
function accepted(expression) {
  const alternatives = (expression ?? '').replaceAll(/[()]/g, '').replaceAll('/', ' OR ').split(' OR ');
  return alternatives.some((side) => side.split(' AND ').every((name) => ACCEPTED.has(name.trim())));
}

/** The crates that end up in the addon: normal dependencies, on any platform. */
function linkedCrates() {
  const { packages, resolve } = JSON.parse(run(['cargo', 'metadata', '--format-version', '1', '--locked']));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set();
  const visit = (id) => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      if (dep_kinds.some(({ kind }) => kind === null)) visit(pkg);
    }
  };
  visit(resolve.root);
  return packages.filter(({ id }) => seen.has(id));
}

const problems = linkedCrates()
  .filter(({ license }) => !accepted(license))
  .map(({ name, version, license }) => `crate ${name} ${version}: ${license ?? 'no licence stated'}`);
const dependencies = Object.keys(manifest.dependencies ?? {});
const { packages } = readJson(join(root, 'package-lock.json'));
for (const name of dependencies) {
  const { license } = packages[`node_modules/${name}`];
  if (!accepted(license)) problems.push(`package ${name}: ${license ?? 'no licence stated'}`);
}
if (problems.length > 0) throw new Error(`Licences that are not on the list:\n${problems.join('\n')}`);
console.log(
  `The licences of ${linkedCrates().length} crates and ${dependencies.length} packages are acceptable.`,
);
