export type { KeelsonErrorCode } from './errors.js';
export { DestroyedError, InvalidArgumentError, KeelsonError } from './errors.js';
export type {
  DelayOptions,
  EveryOptions,
  ScheduleOptions,
  TimerEvents,
  TimerInfo,
  TimerManagerOptions,
  TimerMetrics,
} from './timer/options.js';
export { TimerManager, timerManager } from './timerManager.js';
