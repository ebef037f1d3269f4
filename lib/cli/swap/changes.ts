/** What a service notices after the swap of a class, a line each. By intent: each was a fault of hand-written ones. */
export const CHANGES: Readonly<Record<string, readonly string[]>> = {
  TimerManager: [
    'Importing it keeps no process alive and handles no signal: stop timers in your own shutdown, or use shutdownOn().',
    'A handle is forgotten after a callback that throws, a global clear, or a clear of the other kind.',
    'getStats() counts your timers only, none of its own.',
  ],
  BoundedLRUCache: [
    'The bound and the order of use hold within one millisecond too; eviction takes constant time.',
    "1 and '1', null and 'null' are different keys; functions and symbols are keys by identity, '' can be evicted.",
    'Expired entries go before live ones. A size that is 0, negative or NaN is refused.',
    'No interval: an idle cache keeps no process alive.',
  ],
  CircularBuffer: ['A capacity that is 0, negative or fractional is refused.'],
  JSONWorkerPool: [
    'Texts above 1 MB are parsed; malformed ones reject at once with a SyntaxError.',
    'Work is spread over threads and priorities order it; reviver, replacer and toJSON work as in JSON itself.',
    'After destroy() a task rejects and the process can end; getStats() is live.',
    'Importing it in a worker thread leaves the messages of that worker alone.',
  ],
  RouteTrie: [
    "A method without a route runs nobody's handler: search() gives null.",
    "A route for '*' is not hidden by later ones, and the search goes back from a dead end.",
    'Parameters are decoded and belong to the caller, __proto__ included; getAllRoutes() lists every handler.',
  ],
  OptimizedRouter: [
    'next(error) in middleware ends the request: its handler does not run.',
    'weight, timeout and retries do what they say; several handlers of one route share its requests.',
    'A path with other methods only is answered with 405 and Allow.',
  ],
  DistributedRateLimiter: [
    'Redis is used where it is configured; a "redis" that was ignored before is connected to at the first check.',
    'The limit holds in any window, so a burst over a window edge is denied; resetTime is set and does not slide.',
    'A callback that throws lets no request through, and one that answers is not answered over.',
    'The configuration is validated, skipSuccessfulRequests is obeyed, no interval keeps the process alive.',
  ],
  WorkerAsyncLogger: [
    'destroy() and the end of the process write what is buffered; a write error keeps the lines.',
    'A BigInt, a cycle or a function costs no other line of the batch; what overflows is counted as dropped.',
    'Only the end of the file name is replaced on rotation, and names without .log rotate too.',
    'No timer keeps the process alive.',
  ],
  DatabaseConnectionPool: [
    'It talks to a database: install its client (pg, mysql2 or better-sqlite3). Nothing opens before the first call.',
    'Statements of a transaction run in order on one connection; batches insert the rows that they are given.',
    'A statement that may have run is not sent again unless its call asks for retries.',
    'close() serves or rejects those who wait and does not reopen; an idle pool keeps no process alive.',
  ],
};

/** What changes with these values of keelson. The functions of the JSON pool bring its changes. */
export function changesOf(values: readonly string[]): string[] {
  const owners = values.map((value) => {
    if (/json/i.test(value)) return 'JSONWorkerPool';
    return value === 'timerManager' ? 'TimerManager' : value;
  });
  return [...new Set(owners)].flatMap((owner) => CHANGES[owner] ?? []);
}
