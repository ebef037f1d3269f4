import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/**
 * The asynchronous context of a timer: what `AsyncLocalStorage.getStore()` sees in its callback.
 *
 * An AsyncResource takes the current context with it when it is made, which costs 10 to 25 ns. Only one that
 * holds a store is worth keeping, and nothing public says whether one does. Node keeps the stores in properties
 * of the resource under symbols: newer ones all of them in one frame, older ones each under its own. Where a
 * Node uses other symbols, every resource is taken to hold a store: more memory, the same behaviour.
 */
class Context extends AsyncResource {
  constructor() {
    // Giving the trigger as a number spares Node the parsing of an options object; 1 is the root.
    super('KeelsonTimer', 1);
  }

  /** For those who look for open handles, as jest's --detectOpenHandles does: this holds no process. */
  hasRef(): boolean {
    return false;
  }
}

type Key = keyof AsyncResource;

const FRAME_NAME = 'context_frame';
/** What a resource has whether or not it holds a store. */
const COMMON_NAMES = ['async_id_symbol', 'trigger_async_id_symbol', FRAME_NAME];

/** The property that holds all stores. Node 22 has it too, but uses it only under a flag; Node 24 can turn it off. */
const FRAME = frameSymbol();

function frameSymbol(): Key | undefined {
  const isFrame = (symbol: symbol): boolean => symbol.description === FRAME_NAME;
  const symbol = Object.getOwnPropertySymbols(new Context()).find(isFrame) as Key | undefined;
  if (symbol === undefined) return undefined;
  const probe = new AsyncLocalStorage();
  const inUse = probe.run(true, () => new Context()[symbol] !== undefined);
  probe.disable();
  return inUse ? symbol : undefined;
}

/** Whether a resource says for itself, at no cost, if it holds a store. */
export const framed = FRAME !== undefined;

/** Without frames: the properties of a resource that hold stores. */
function storeSymbols(resource: AsyncResource): Key[] {
  const isStore = (symbol: symbol): boolean => !COMMON_NAMES.includes(symbol.description ?? '');
  return Object.getOwnPropertySymbols(resource).filter(isStore) as unknown as Key[];
}

/** The current context, of which it is not known yet whether it holds a store. */
export function snapshot(): AsyncResource {
  return new Context();
}

/** Whether a snapshot holds a store. */
export function holdsStore(resource: AsyncResource): boolean {
  if (FRAME !== undefined) return resource[FRAME] !== undefined;
  return storeSymbols(resource).some((symbol) => resource[symbol] !== undefined);
}

/** The current context if it holds a store. */
export function capture(): AsyncResource | undefined {
  const resource = snapshot();
  return holdsStore(resource) ? resource : undefined;
}

/**
 * Without frames: whether any AsyncLocalStorage of the process is in use. If not, no snapshot taken so far holds
 * a store, since each resource made while one is in use has a property for it, even an empty one.
 */
export function storesInUse(): boolean {
  return storeSymbols(snapshot()).length > 0;
}

/** A context without any store, in which the driver is armed, so that no timer sees the store of another. */
export const noContext: AsyncResource = snapshot();
for (const symbol of FRAME === undefined ? storeSymbols(noContext) : [FRAME]) {
  Object.defineProperty(noContext, symbol, { value: undefined, writable: true });
}
