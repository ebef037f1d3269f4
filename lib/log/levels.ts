/** Levels from the least to the most severe. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export type LogLevel = (typeof LEVELS)[number];

/** How severe a level is. It inherits nothing: other names have none. */
export const SEVERITY: Readonly<Record<LogLevel, number>> = Object.assign(Object.create(null), {
  trace: 0,
  debug: 1,
  info: 2,
  warn: 3,
  error: 4,
  fatal: 5,
});
