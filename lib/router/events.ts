/** Which handler an event is about. */
export interface RouteEvent {
  id: string;
  /** The group's pattern and method. */
  path: string;
  method: string;
}

/** Events of `OptimizedRouter`, also on `node:diagnostics_channel` as `keelson:router:<event>`. */
export interface RouterEvents extends Record<string, unknown> {
  /** A handler was taken out of service, for so many milliseconds. */
  ejected: RouteEvent & { ejectedFor: number };
  /** A handler is back in service. */
  restored: RouteEvent;
  /** An attempt, counted from 1, took longer than its `timeout` in milliseconds. */
  timeout: RouteEvent & { timeout: number; attempt: number };
  /** An attempt failed with `error`, and another one follows. */
  retry: RouteEvent & { attempt: number; error: unknown };
  /**
   * An error that nobody else is told of: of a bare server without `onError` (answered with 500), or one that came
   * when others had answered, or had been asked to. Without a listener there is one process warning.
   */
  error: unknown;
}
