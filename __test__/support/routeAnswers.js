// node routeAnswers.js SEED: prints a digest of what a RouteTrie answers for many routes and paths, and a few of the
// answers. The same for every process, whatever it forbids.
const { createHash } = require('node:crypto');
const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { RouteTrie } = require('../..');

const PARTS = [
  'a',
  'b',
  ':x',
  ':y',
  ':id(\\d+)',
  ':p-:q',
  ':n(\\w+)-:m',
  '*',
  ':o?',
  ':__proto__',
  ':constructor',
  'a::b',
];
const TEXTS = ['a', 'b', '1', '22', 'a-b', '1-2', 'é', '%41', 'a%2Fb', 'a:b', '%', ''];

function generator(seed) {
  let state = seed >>> 0;
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  };
}

function answer(trie, path) {
  try {
    const found = trie.search(path, 'GET');
    if (found === null) return null;
    const { handler, params, wildcard, rest } = found;
    return [
      handler.id,
      Object.entries(params),
      wildcard,
      rest,
      Object.getPrototypeOf(params) === Object.prototype,
    ];
  } catch (error) {
    return error.code;
  }
}

function answers(seed) {
  const next = generator(seed);
  const all = [];
  for (let table = 0; table < 20; table++) {
    const trie = new RouteTrie({ cache: next(2) === 0, caseSensitive: next(2) === 0 });
    for (let i = 0; i < 20; i++) {
      const parts = [...new Set(Array.from({ length: 1 + next(4) }, () => PARTS[next(PARTS.length)]))];
      trie.insert(`/${parts.join('/')}`, { id: parts.join('/'), method: 'GET', handler() {} });
    }
    for (let i = 0; i < 1000; i++) {
      const path = Array.from({ length: 1 + next(4) }, () => TEXTS[next(TEXTS.length)]).join('/');
      all.push(answer(trie, `/${path}`));
    }
  }
  const digest = createHash('sha256').update(JSON.stringify(all)).digest('hex');
  return { digest, found: all.filter(Array.isArray).length, count: all.length, some: all.slice(0, 50) };
}

if (!isMainThread) parentPort.postMessage(answers(workerData));
else if (require.main === module) console.log(JSON.stringify(answers(Number(process.argv[2]))));

module.exports = answers;
