import { startContestant } from './contestant.mjs';
import { compare, summarize } from './stats.mjs';

const DEFAULT_ROUNDS = 7;
const WARMUP_ROUNDS = 2;

/**
 * Runs a benchmark under the Node.js at `execPath`.
 *
 * Contestants are processes, so that neither compiled code, nor heap, nor collector is shared. They are sampled
 * in turn (A B C, B C A, ...), so that a machine that slows down or speeds up does so for all of them, and who is
 * not being sampled is stopped.
 */
export async function measure(benchmark, { execPath, rounds = benchmark.rounds ?? DEFAULT_ROUNDS }) {
  const names = Object.keys(benchmark.contestants);
  const take = benchmark.fresh ? takeFresh : takeKept;
  const given = await benchmark.prepare?.(execPath);
  const start = (name) => startContestant(benchmark, name, { execPath, given });
  const sampled = await take(start, names, rounds);
  for (const [round, samples] of sampled.entries()) {
    requireAgreement(benchmark, samples, round);
  }
  return { rounds, metrics: evaluate(benchmark, names, sampled) };
}

/** Every contestant lives through all rounds; the first ones only warm up. */
async function takeKept(start, names, rounds) {
  const children = new Map();
  try {
    for (const name of names) {
      children.set(name, await start(name));
    }
    const sampled = [];
    for (let round = 0; round < WARMUP_ROUNDS + rounds; round++) {
      const samples = {};
      for (const name of rotate(names, round)) {
        samples[name] = await children.get(name).sample(round);
      }
      sampled.push(samples);
    }
    return sampled.slice(WARMUP_ROUNDS);
  } finally {
    for (const child of children.values()) {
      child.end();
    }
  }
}

/** Every sample is a new process: for what only a clean one can tell, such as resident memory. */
async function takeFresh(start, names, rounds) {
  const sampled = [];
  for (let round = 0; round < rounds; round++) {
    const samples = {};
    for (const name of rotate(names, round)) {
      const child = await start(name);
      try {
        samples[name] = await child.sample(round);
      } finally {
        await child.end();
      }
    }
    sampled.push(samples);
  }
  return sampled;
}

function rotate(names, by) {
  const at = by % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}

/** Contestants that did the same work got the same result; otherwise their times cannot be compared. */
function requireAgreement(benchmark, samples, round) {
  const alike = Object.entries(samples).filter(([name]) => !(name in (benchmark.unlike ?? {})));
  const answers = new Set(alike.map(([, { check }]) => JSON.stringify(check)));
  if (answers.size > 1) {
    const detail = alike.map(([name, { check }]) => `${name}: ${JSON.stringify(check)}`).join(', ');
    throw new Error(`${benchmark.name}: the contestants disagree in round ${round} (${detail})`);
  }
}

/** The first contestant is the subject, all others are its peers. */
function evaluate(benchmark, [subject, ...peers], sampled) {
  const evaluated = {};
  for (const [key, metric] of Object.entries(benchmark.metrics)) {
    const series = (name) => sampled.map((samples) => samples[name].values[key]);
    const contestants = { [subject]: summarize(series(subject)) };
    for (const peer of peers) {
      contestants[peer] = summarize(series(peer));
      if (metric.compare !== 'none') {
        contestants[peer].advantage = compare(metric, series(subject), series(peer));
      }
    }
    evaluated[key] = { ...metric, contestants };
  }
  return evaluated;
}
