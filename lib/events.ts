import diagnosticsChannel, { type Channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';

/**
 * The channels of all events so far, by name. Node lets go of a channel that nobody holds, and forgets its name in a
 * finalizer, which is worth avoiding: it takes a newer channel of that name along, with its subscribers (in Node 20
 * and the first releases of 22 and 24), and a worker that is terminated while it is due never ends (before 20.12).
 */
const channels = new Map<string, Channel>();

function channelOf(name: string): Channel {
  let channel = channels.get(name);
  if (!channel) {
    channel = diagnosticsChannel.channel(name);
    channels.set(name, channel);
  }
  return channel;
}

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

  /**
   * Emits `event` with one payload, here and on its channel. A listener that throws reaches
   * `uncaughtException`, as on the channel, and not the code that happened to cause the event.
   *
   * @param args what listeners get, where that is not the payload
   */
  protected announce<Name extends keyof Events & string>(
    event: Name,
    payload: Events[Name],
    args: readonly unknown[] = [payload],
  ): void {
    channelOf(`keelson:${this.#utility}:${event}`).publish(payload);
    if (event !== 'error' || this.listenerCount('error') > 0) {
      try {
        this.emit(event, ...args);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    } else if (!this.#warned) {
      this.#warned = true;
      process.emitWarning(`keelson ${this.#utility}: ${textOf(payload)}`, 'KeelsonWarning');
    }
  }
}

/** Text of anything: an object without a prototype has none, and would throw. */
function textOf(payload: unknown): string {
  try {
    return String(payload);
  } catch {
    return 'something that has no text';
  }
}
