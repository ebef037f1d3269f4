import type { ScalingOptions } from 'keelson';
import { type PlanSettings, settingsOf } from '../../dist/scaling/options';

/** Replicas of 5 requests a second each, which take three intervals to be of use. */
export const GIVEN = { name: 'x', capacity: 10, target: 0.5, max: 100, interval: 1000, horizon: 3000 };

export const settings = (more: Partial<ScalingOptions> = {}): PlanSettings =>
  settingsOf({ ...GIVEN, stabilization: 5000, ...more }).plan;
