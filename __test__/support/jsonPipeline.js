const { Construction } = require('../../dist/json/construction.js');
const { Figures } = require('../../dist/json/figures.js');
const { flagsOf, Jobs, NO_LIMITS } = require('../../dist/json/jobs.js');
const { GOAL } = require('../../dist/json/native.js');

/** Where pieces of `sizes`, which come again and again, cut what is `length` long. */
function cuts(length, sizes) {
  const ends = [];
  for (let at = 0, next = 0; at < length; next++) {
    at = Math.min(length, at + sizes[next % sizes.length]);
    ends.push(at);
  }
  return ends;
}

/** Input in pieces of the sizes that were asked for. */
class CutInput {
  pushed = 0;
  #data;
  #ends;
  #next = 0;
  #ended = false;

  constructor(data, sizes) {
    this.#data = data;
    this.#ends = cuts(data.length, sizes);
  }

  get pending() {
    return !this.#ended;
  }

  push(native, job) {
    if (this.#ended) return false;
    const data = this.#data;
    while (this.#next < this.#ends.length) {
      const start = this.#ends[this.#next - 1] ?? 0;
      const end = this.#ends[this.#next++];
      const isText = typeof data === 'string';
      const room = isText
        ? native.pushText(job, data.slice(start, end))
        : native.pushBytes(job, data, start, end);
      if (!room) return false;
    }
    this.#ended = true;
    native.end(job);
    return false;
  }
}

exports.Pipeline = class Pipeline {
  #jobs;

  constructor(threads = 1) {
    this.#jobs = new Jobs(threads, new Figures());
  }

  parse(data, { groupBytes = 65_536, sizes = [65_536], mode = 'auto' } = {}) {
    const job = this.#jobs.open(GOAL.build, 'normal', flagsOf(mode), NO_LIMITS, groupBytes);
    return new Promise((succeed, fail) => {
      new Construction(this.#jobs, job, 'normal', new CutInput(data, sizes), NO_LIMITS, { succeed, fail });
    });
  }

  close() {
    this.#jobs.native.close();
  }
};
