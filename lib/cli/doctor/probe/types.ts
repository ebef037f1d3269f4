/** A place in the service's code, as its thread names it: lines and columns from 1. */
export interface Frame {
  name: string;
  file: string;
  line: number;
  column: number;
}

/** What is set for one look at a thread. */
export interface Settings {
  /** Collections below this number of entries are passed over. */
  minSize: number;
  /** Milliseconds from which a call of JSON counts as blocking. */
  jsonMs: number;
  /** Milliseconds without a sample after which the thread takes everything back by itself. */
  leaseMs: number;
  /** As leaseMs, from when everything is taken back and only what was seen is left. */
  closeMs: number;
  /** Whether the inspector is closed at the end, as it was opened for this. */
  closeInspector: boolean;
}

/** Sizes at one moment, by the numbers that the probe gave. */
export interface Sample {
  collections: [id: number, size: number][];
  timers: [id: number, live: number][];
  /** Timers that keep the process alive, of all that the thread has. */
  active: number;
  /** How many of them were seen to be made. */
  activeSeen: number;
}

export interface Stack {
  frames: Frame[];
  /** How many of the additions that were looked at came from there. */
  count: number;
}

export interface CollectionNote {
  id: number;
  kind: 'Map' | 'Set' | 'array' | 'object';
  /** The class, where it is not Map or Set itself. */
  name: string;
  added: number;
  stacks: Stack[];
}

export interface TimerNote {
  id: number;
  kind: 'setInterval' | 'setTimeout';
  frames: Frame[];
  created: number;
  live: number;
  minDelay: number;
  maxDelay: number;
}

export interface JsonNote {
  method: 'JSON.parse' | 'JSON.stringify';
  frames: Frame[];
  count: number;
  maxMs: number;
  totalMs: number;
  /** Characters of the longest text. */
  maxLength: number;
}

/** What a thread tells at the end. */
export interface Notes {
  collections: CollectionNote[];
  timers: TimerNote[];
  json: JsonNote[];
  /** Functions that could not be replaced, so that nothing was seen of them. */
  unseen: string[];
  /** Functions that somebody else has replaced since: ours are still called by theirs, and do nothing. */
  left: string[];
  /** Milliseconds that the probe has spent on stacks. */
  spentMs: number;
}

/** What is shared by the parts of the probe. */
export interface Kit {
  /** False once everything was taken back; what somebody still holds then only passes calls on. */
  on: boolean;
  now(): number;
  /**
   * Does something of the probe's own within a call of the service's: what is called from there is not watched itself, and
   * nothing is thrown into the service.
   */
  aside(work: () => void): void;
  /**
   * A function that looks at the service's stack below a function of the probe, with a budget of time of its own. Gives an
   * empty list once that is used up.
   */
  stacks(): (below: AnyFunction) => Frame[];
  /** Puts a function in the place of another one, until the end. */
  replace(owner: object, name: string, make: (original: AnyFunction) => AnyFunction): void;
  /** Something else to be undone at the end. */
  undo(step: () => void): void;
}

export type AnyFunction = (this: any, ...args: any[]) => any;

/** Reads a module of Node's within the service. */
export type Load = (name: string) => any;

/** The whole of it, as it is called by the doctor. */
export interface Probe {
  sample(): Sample;
  /** Takes everything back. */
  finish(): Notes;
  /** Which of these collections the service still holds: ask after a garbage collection. */
  held(ids: number[]): number[];
  /** A collection itself. */
  pick(id: number): object | undefined;
  /** Forgets everything. */
  close(): void;
  /** Watches the larger ones of these arrays or plain objects too. */
  watch(found: object[], kind: 'array' | 'object'): void;
  /** The functions that most of the active timers call which were not seen to be made. */
  hidden(timers: object[]): { callback: unknown; count: number; interval: boolean }[];
}
