import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** What a reader needs to know to repeat the run; nothing that tells where it was run. */
export function describeEnvironment(execPath) {
  const versions = JSON.parse(run(execPath, ['-p', 'JSON.stringify(process.versions)']));
  return {
    node: versions.node,
    v8: versions.v8,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    commit: currentCommit(),
  };
}

/** The commit measured, with a plus sign where the sources differ from it. */
function currentCommit() {
  try {
    const commit = run('git', ['rev-parse', '--short', 'HEAD']);
    const changed = run('git', ['status', '--porcelain', '--', '.', ':!benchmark']);
    return changed === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
