import { Call, type CallEnds, STAGE } from './call.js';

/** Calls that are kept to be used again. */
const SPARE = 1_024;

/**
 * The calls in flight in the order in which they were asked for. All have the same timeout, so the first of them is the
 * first to be late, and one timer does for all.
 */
export class Flight {
  /** Those that run or wait. */
  count = 0;
  /** Those that run. */
  running = 0;
  first: Call | undefined;
  private last: Call | undefined;
  private readonly spare: Call[] = [];
  private readonly ends: CallEnds;

  constructor(ends: CallEnds) {
    this.ends = ends;
  }

  /** A call to begin. */
  take(): Call {
    return this.spare.length > 0 ? this.spare.pop()! : new Call(this.ends);
  }

  /** Adds a call that begins. */
  add(call: Call, since: number, stage: number): void {
    const { last } = this;
    call.since = since;
    call.stage = stage;
    call.earlier = last;
    if (last === undefined) this.first = call;
    else last.later = call;
    this.last = call;
    this.count++;
    if (stage === STAGE.running) this.running++;
  }

  /** A waiting call runs now. */
  run(call: Call): void {
    call.stage = STAGE.running;
    this.running++;
  }

  /** Takes out a call that is over. */
  remove(call: Call): void {
    const { earlier, later } = call;
    if (earlier === undefined) this.first = later;
    else earlier.later = later;
    if (later === undefined) this.last = earlier;
    else later.earlier = earlier;
    call.earlier = undefined;
    call.later = undefined;
    this.count--;
    if (call.stage === STAGE.running) this.running--;
    call.stage = STAGE.over;
  }

  /** Keeps a call whose action has settled. */
  reuse(call: Call): void {
    call.clear();
    if (call.waited !== 0) call.waited = 0;
    call.stage = STAGE.free;
    if (this.spare.length < SPARE) this.spare.push(call);
  }

  /** Calls that began after `began` began at `now` at the latest: that is taken to be when they did. */
  postpone(began: number, now: number): void {
    for (let call = this.last; call !== undefined && call.since >= began; call = call.earlier)
      call.since = now;
  }
}
