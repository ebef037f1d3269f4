import { AsyncResource } from 'node:async_hooks';

/**
 * The asynchronous context of a timer: what `AsyncLocalStorage.getStore()` sees in its callback.
 *
 * An AsyncResource takes the current context with it when it is made, which costs 10 to 25 ns. Only one that
 * holds a store is worth keeping, and nothing public says whether one does. Node keeps the stores in properties
 * of the resource under symbols whose descriptions are known: from Node 24 on all of them in one frame, before
 * that each under its own. Should a Node rename them, every resource is kept: more memory, the same behaviour.
 */
const NAME = 'KeelsonTimer';
/** Giving the trigger as a number spares Node the parsing of an options object; 1 is the root. */
const ROOT_TRIGGER = 1;

const FRAME = Object.getOwnPropertySymbols(new AsyncResource(NAME)).find(
  (symbol) => symbol.description === 'context_frame',
) as keyof AsyncResource | undefined;

/** Whether a resource says for itself, at no cost, if it holds a store: Node 24 and later. */
export const framed = FRAME !== undefined;

function storeSymbols(resource: AsyncResource): (keyof AsyncResource)[] {
  return Object.getOwnPropertySymbols(resource).filter(
    (symbol) => symbol.description === 'kResourceStore',
  ) as unknown as (keyof AsyncResource)[];
}

/** The current context, of which it is not known yet whether it holds a store. */
export function snapshot(): AsyncResource {
  return new AsyncResource(NAME, ROOT_TRIGGER);
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
 * Before Node 24: whether any AsyncLocalStorage of the process is in use. If not, no snapshot taken so far holds
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
