import * as fc from 'fast-check';
import { Health, LONGEST_EJECTION } from '../dist/router/health';

const SETTINGS = { failures: 3, ejectFor: 100, maxEjectedPercent: 100 };
const always = () => true;

/** A handler's health in the plainest words, one field a rule. */
class Model {
  state: 'in service' | 'ejected' = 'in service';
  failures = 0;
  ejections = 0;
  until = 0;
  probing: number | undefined;
  /** Counts the changes of state: verdicts are only about the state in which their attempt began. */
  era = 0;

  span(): number {
    return Math.min(SETTINGS.ejectFor * 2 ** (this.ejections - 1), SETTINGS.ejectFor * LONGEST_EJECTION);
  }

  available(now: number): boolean {
    if (this.state === 'in service') return true;
    return now >= this.until && (this.probing === undefined || now >= this.probing + this.span());
  }

  admit(now: number): { era: number; probe: boolean } {
    const probe = this.state === 'ejected' && this.available(now);
    if (probe) this.probing = now;
    return { era: this.era, probe };
  }

  judge(admission: { era: number; probe: boolean }, verdict: string, now: number, mayEject: boolean): string {
    if (admission.era !== this.era) return 'none';
    if (verdict === 'unknown') {
      if (admission.probe) this.probing = undefined;
      return 'none';
    }
    if (verdict === 'success') {
      this.failures = 0;
      if (this.state === 'in service') return 'none';
      this.state = 'in service';
      this.ejections = 0;
      this.era++;
      return 'restored';
    }
    if (this.state === 'in service') {
      this.failures++;
      if (this.failures < SETTINGS.failures || !mayEject) return 'none';
    } else if (!admission.probe) {
      return 'none';
    }
    this.state = 'ejected';
    this.ejections++;
    this.until = now + this.span();
    this.probing = undefined;
    this.era++;
    return 'ejected';
  }
}

test('follows a plain model through any attempts, in any order, of any length', () => {
  const verdict = fc.constantFrom(
    'success' as const,
    'failure' as const,
    'failure' as const,
    'unknown' as const,
  );
  const step = fc.oneof(
    fc.record({ do: fc.constant('begin' as const) }),
    fc.record({ do: fc.constant('end' as const), which: fc.nat(), verdict, mayEject: fc.boolean() }),
    fc.record({
      do: fc.constant('end' as const),
      which: fc.constant(0),
      verdict,
      mayEject: fc.constant(true),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 50, 99, 100, 199, 200, 5000) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
    const health = new Health(SETTINGS);
    const model = new Model();
    const open: [ReturnType<Health['admit']>, ReturnType<Model['admit']>][] = [];
    let now = 1000;
    for (const one of steps) {
      if (one.do === 'wait') now += one.ms;
      if (one.do === 'begin') {
        expect(health.isAvailable(now)).toBe(model.available(now));
        open.push([health.admit(now), model.admit(now)]);
      }
      if (one.do === 'end' && open.length > 0) {
        const [[real, modelled]] = open.splice(one.which % open.length, 1) as [(typeof open)[number]];
        expect(real.probe).toBe(modelled.probe);
        const change = health.judge(real, one.verdict, now, () => one.mayEject);
        expect(change).toBe(model.judge(modelled, one.verdict, now, one.mayEject));
      }
      expect(health.isAvailable(now)).toBe(model.available(now));
      expect(health.ejected).toBe(model.state === 'ejected');
      expect(health.ejectedFor).toBe(model.state === 'ejected' ? model.span() : 0);
    }
  });
  fc.assert(property, { numRuns: 500 });
});

function eject(health: Health, now: number): void {
  for (let n = 0; n < SETTINGS.failures; n++) health.judge(health.admit(now), 'failure', now, always);
}

test('failures have to be in a row', () => {
  const health = new Health(SETTINGS);
  for (const verdict of ['failure', 'failure', 'success', 'failure', 'unknown', 'failure'] as const) {
    expect(health.judge(health.admit(0), verdict, 0, always)).toBe('none');
  }
  expect(health.judge(health.admit(0), 'failure', 0, always)).toBe('ejected');
});

test('each failed probe doubles the ejection up to 32 times the first, a good one ends it', () => {
  const health = new Health(SETTINGS);
  let now = 0;
  eject(health, now);
  const spans = [];
  for (let n = 0; n < 8; n++) {
    spans.push(health.ejectedFor);
    expect(health.isAvailable(now + health.ejectedFor - 1)).toBe(false);
    now += health.ejectedFor;
    const probe = health.admit(now);
    expect(probe.probe).toBe(true);
    expect(health.isAvailable(now)).toBe(false);
    expect(health.judge(probe, 'failure', now, always)).toBe('ejected');
  }
  expect(spans).toEqual([100, 200, 400, 800, 1600, 3200, 3200, 3200]);
  now += health.ejectedFor;
  expect(health.judge(health.admit(now), 'success', now, always)).toBe('restored');
  eject(health, now);
  expect(health.ejectedFor).toBe(100);
});

test('a probe that is never heard of again makes room for another one', () => {
  const health = new Health(SETTINGS);
  eject(health, 0);
  expect(health.admit(100).probe).toBe(true);
  expect(health.admit(199).probe).toBe(false);
  expect(health.admit(200).probe).toBe(true);
});

test('what began before an ejection says nothing about the time after it', () => {
  const health = new Health(SETTINGS);
  const early = health.admit(0);
  eject(health, 0);
  expect(health.judge(early, 'success', 1, always)).toBe('none');
  expect(health.ejected).toBe(true);
});
