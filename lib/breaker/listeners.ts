import { ObservableEmitter } from '../events.js';

type Name = string | symbol;
type Listener = (...args: any[]) => void;

/**
 * An emitter that notices when its listeners change, so that whether anybody listens to what happens all the time need
 * not be looked up each time. Node's `once` and `prependOnceListener` come by way of these methods.
 */
export abstract class AttentiveEmitter<
  Events extends Record<string, unknown>,
> extends ObservableEmitter<Events> {
  /** Called after listeners have come or gone. */
  protected abstract listenersChanged(): void;

  override on(name: Name, listener: Listener): this {
    super.on(name, listener);
    this.listenersChanged();
    return this;
  }

  override addListener(name: Name, listener: Listener): this {
    return this.on(name, listener);
  }

  override prependListener(name: Name, listener: Listener): this {
    super.prependListener(name, listener);
    this.listenersChanged();
    return this;
  }

  override removeListener(name: Name, listener: Listener): this {
    super.removeListener(name, listener);
    this.listenersChanged();
    return this;
  }

  override off(name: Name, listener: Listener): this {
    return this.removeListener(name, listener);
  }

  override removeAllListeners(name?: Name): this {
    if (name === undefined) super.removeAllListeners();
    else super.removeAllListeners(name);
    this.listenersChanged();
    return this;
  }
}
