// Runs the fuzz targets: `npm run fuzz -- [seconds for each] [target]`. It needs no nightly toolchain: libFuzzer
// wants coverage counters, which stable rustc can have LLVM add; only sanitizers would need more, and the core
// has no unsafe code for them to watch.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fuzz = join(dirname(fileURLToPath(import.meta.url)), '..', 'fuzz');
const [seconds = '30', only] = process.argv.slice(2);
const sources = readdirSync(join(fuzz, 'fuzz_targets')).filter((name) => name.endsWith('.rs'));
const targets = sources
  .map((name) => basename(name, '.rs'))
  .filter((name) => only === undefined || name === only);
if (targets.length === 0) throw new Error(`there is no fuzz target "${only}"`);

const flags = ['inline-8bit-counters', 'pc-table', 'trace-compares', 'level=4']
  .map((name) => `-Cllvm-args=-sanitizer-coverage-${name}`)
  .concat('-Cpasses=sancov-module', '-Ccodegen-units=1', '-Cdebug-assertions', '--cfg=fuzzing');
// With a target named, the flags stay away from build scripts, which have no fuzzer to link to.
const host = /^host: (.*)$/m.exec(spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout)[1];
for (const target of targets) {
  const corpus = join(fuzz, 'corpus', target);
  const artifacts = join(fuzz, 'artifacts', target, '/');
  mkdirSync(corpus, { recursive: true });
  mkdirSync(artifacts, { recursive: true });
  const { status } = spawnSync(
    'cargo',
    [
      'run',
      '--release',
      '--target',
      host,
      '--bin',
      target,
      '--',
      corpus,
      `-max_total_time=${seconds}`,
      `-artifact_prefix=${artifacts}`,
    ],
    { cwd: fuzz, stdio: 'inherit', env: { ...process.env, RUSTFLAGS: flags.join(' ') } },
  );
  if (status !== 0) process.exit(status ?? 1);
}
