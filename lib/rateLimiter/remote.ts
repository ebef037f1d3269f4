import type { RedisError } from '../errors.js';
import { spans } from '../openTelemetry/spans.js';
import type { Asker } from '../redis/limits.js';
import { Denials } from './denials.js';
import type { Engine } from './engine.js';
import type { RateLimitCounts } from './figures.js';
import { type HealthHooks, StoreHealth } from './health.js';
import { destroyed } from './memory.js';
import { OP, ROW } from './native.js';
import type { Settings } from './options.js';
import { Pace } from './pace.js';
import { Permits } from './permits.js';
import { Check, Inquiry, type Landing } from './question.js';
import { type Answer, plainAnswer, type RateLimitResult, type RateLimitSource } from './result.js';
import { StandIn } from './standIn.js';
import type { Verdicts } from './verdicts.js';

/** Redis, as far as a limiter asks it: by a link of our own, or by a client of the service's. */
export interface Remote {
  ask(op: number, key: string, amount: number, extra: number, asker: Asker): void;
  /** Whoever waits fails. */
  close(): void;
}

/** Asks, and does not care. */
const NOBODY: Asker = { answered: () => {}, failed: () => {} };

/** The counts are in Redis; while it does not answer, something else decides. */
export class RemoteEngine implements Engine, Landing {
  readonly health: StoreHealth;
  readonly standIn: StandIn;
  private readonly pace = new Pace();
  private readonly denials: Denials | undefined;
  private readonly permits: Permits | undefined;
  private closed = false;
  private now = 0;
  private isRead = false;

  constructor(
    settings: Settings,
    private readonly remote: Remote,
    private readonly verdicts: Verdicts,
    private readonly counts: RateLimitCounts,
    hooks: HealthHooks,
  ) {
    this.health = new StoreHealth(settings.breaker, hooks);
    this.standIn = new StandIn(settings, counts);
    // A permit of a concurrency limit can be given back at any moment.
    const isLasting = !settings.hasLeases && settings.blockCache > 0;
    this.denials = isLasting ? new Denials(settings.blockCache, settings.maxKeys) : undefined;
    if (settings.permits !== undefined) this.permits = new Permits(settings.permits, settings.maxKeys, this);
  }

  get blockedCount(): number {
    return this.health.isDown ? (this.standIn.known?.blockedCount ?? 0) : (this.denials?.count() ?? 0);
  }

  check(key: string, cost: number): Promise<RateLimitResult> {
    if (this.closed) return Promise.reject(destroyed());
    return this.checkKnown(key, cost) ?? this.checkThere(key, cost);
  }

  async inspect(key: string, cost: number, lease: number): Promise<Answer> {
    if (this.closed) throw destroyed();
    const known = this.checkKnown(key, cost);
    if (known !== undefined) return plainAnswer(await known);
    const answer = await this.ask(OP.check, key, cost, lease);
    return { ...answer, result: this.verdicts.judge(key, answer.result) };
  }

  /** A check that needs no word of Redis. */
  private checkKnown(key: string, cost: number): Promise<RateLimitResult> | undefined {
    const { denials } = this;
    if (denials !== undefined && denials.size > 0) {
      const known = denials.find(key, cost);
      if (known !== undefined) {
        this.counts.deniedFromCache++;
        return this.pace.give(this.verdicts.judge(key, known));
      }
    }
    return this.permits?.take(key, cost);
  }

  /** A check by Redis itself. */
  checkThere(key: string, cost: number): Promise<RateLimitResult> {
    if (!this.health.admits()) return this.pace.give(this.checkHere(key, cost));
    const check = new Check(this, OP.check, key, cost, 0, this.health.epoch, this.reading());
    this.remote.ask(OP.check, key, cost, 0, spans?.ask(OP.check, check) ?? check);
    return check.promise;
  }

  async ask(op: number, key: string, amount: number, extra: number): Promise<Answer> {
    if (this.closed) throw destroyed();
    if (op >= OP.adjust) this.forget(op, key);
    if (!this.health.admits()) return this.pace.give(this.answerHere(op, key, amount, extra));
    return this.askThere(op, key, amount, extra);
  }

  async follow(
    source: RateLimitSource,
    op: number,
    key: string,
    amount: number,
    extra: number,
  ): Promise<Answer> {
    if (source === 'redis') return this.ask(op, key, amount, extra);
    if (this.closed) throw destroyed();
    return this.answerHere(op, key, amount, extra);
  }

  /** Has something carried out by Redis and by nobody else, whatever comes of it. */
  tell(op: number, key: string, amount: number, extra: number): void {
    if (!this.closed && !this.health.isDown) this.remote.ask(op, key, amount, extra, NOBODY);
  }

  private askThere(op: number, key: string, amount: number, extra: number): Promise<Answer> {
    const inquiry = new Inquiry(this, op, key, amount, extra, this.health.epoch, this.reading());
    this.remote.ask(op, key, amount, extra, spans?.ask(op, inquiry) ?? inquiry);
    return inquiry.promise;
  }

  /** Asks for a block of permits. */
  request(key: string, units: number, asker: Asker): void {
    this.remote.ask(OP.check, key, units, 0, spans?.ask(OP.check, asker) ?? asker);
  }

  /** The result of a check that a block of permits came of. */
  resultOf(numbers: Float64Array, place: number, cost: number): RateLimitResult {
    return this.verdicts.results.of(numbers, place, cost, 'redis');
  }

  /** A permit of a block was used. */
  grant(key: string, result: RateLimitResult): RateLimitResult {
    this.counts.fromBlocks++;
    return this.verdicts.judge(key, result);
  }

  get isClosed(): boolean {
    return this.closed;
  }

  landed(check: Check, numbers: Float64Array, place: number): RateLimitResult {
    this.well(check.epoch);
    const result = this.verdicts.of(check.key, numbers, place, check.amount, 'redis');
    if (numbers[place + ROW.allowed] === 0) this.noteDenial(check, numbers, place);
    return result;
  }

  replied(inquiry: Inquiry, numbers: Float64Array, place: number): Answer {
    this.well(inquiry.epoch);
    const { op, key, amount } = inquiry;
    // A check that was on its way before this has been answered meanwhile.
    if (op >= OP.adjust) this.forget(op, key);
    const answer = this.verdicts.results.answer(numbers, place, amount, 'redis');
    if (op === OP.check && !answer.result.allowed) this.noteDenial(inquiry, numbers, place);
    return answer;
  }

  lost(question: Check | Inquiry, error: RedisError): RateLimitResult | Answer {
    const { op, key, amount, extra, epoch } = question;
    if (this.closed) throw destroyed();
    this.ill(epoch, error);
    if (question instanceof Check) return this.checkHere(key, amount);
    // Redis may have granted it, and nobody will give it back.
    if (op === OP.check && extra > 0) this.tell(OP.release, key, amount, extra);
    return this.answerHere(op, key, amount, extra);
  }

  /** An answer came. */
  well(epoch: number): void {
    const { health } = this;
    if (health.isTroubled || health.failures > 0) health.succeeded(epoch);
  }

  /** None came. */
  ill(epoch: number, error: RedisError): void {
    this.counts.errors[error.failure]++;
    this.health.failed(epoch, error);
  }

  checkHere(key: string, cost: number): RateLimitResult {
    const { standIn } = this;
    const numbers = standIn.apply(OP.check, key, cost, 0, this.health.wait);
    return this.verdicts.judge(key, standIn.results.of(numbers, 0, cost, standIn.source));
  }

  private answerHere(op: number, key: string, amount: number, extra: number): Answer {
    const { standIn } = this;
    const numbers = standIn.apply(op, key, amount, extra, this.health.wait);
    return standIn.results.answer(numbers, 0, amount, standIn.source);
  }

  private noteDenial({ key, amount, asked }: Check | Inquiry, numbers: Float64Array, place: number): void {
    this.denials?.note(key, this.verdicts.results.denial(numbers, place, amount, 'redis'), asked);
  }

  /** What is known here of a key is not true any more. */
  private forget(op: number, key: string): void {
    if (op !== OP.reset && op !== OP.block) {
      this.denials?.forget(key);
      return;
    }
    this.denials?.change(key);
    this.permits?.forget(key);
  }

  /** The time, read once for all that is asked in a row. */
  reading(): number {
    if (!this.isRead) {
      this.now = performance.now();
      this.isRead = true;
      void Promise.resolve().then(() => {
        this.isRead = false;
      });
    }
    return this.now;
  }

  close(): void {
    this.closed = true;
    this.permits?.close();
    this.denials?.clear();
    this.standIn.close();
    this.remote.close();
  }
}
