import diagnosticsChannel from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';

/**
 * An EventEmitter whose events also appear on `node:diagnostics_channel` as `keelson:<utility>:<event>`.
 *
 * An `error` event that nobody listens to becomes one process warning, never a throw: a utility must not be
 * the reason that a service dies.
 */
export class ObservableEmitter<Events extends Record<string, unknown>> extends EventEmitter {
  readonly #utility: string;
  #warned = false;

  constructor(utility: string) {
    super();
    this.#utility = utility;
  }

  /** Emits `event` with one payload, here and on its channel. */
  protected announce<Name extends keyof Events & string>(event: Name, payload: Events[Name]): void {
    diagnosticsChannel.channel(`keelson:${this.#utility}:${event}`).publish(payload);
    if (event !== 'error' || this.listenerCount('error') > 0) {
      this.emit(event, payload);
    } else if (!this.#warned) {
      this.#warned = true;
      process.emitWarning(`keelson ${this.#utility}: ${String(payload)}`, 'KeelsonWarning');
    }
  }
}
