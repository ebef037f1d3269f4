import type { Host, WriteOptions } from './stringify/options.js';
import type { Task, TaskOptions, Tasks } from './tasks.js';

/** Lets the long ones of the texts to write wait for their turn among the tasks of a pool. */
export class Turn implements Host {
  /** Whether it was too short to wait. */
  direct = true;

  constructor(readonly tasks: Tasks) {}

  get closed(): Error | undefined {
    return this.tasks.closed;
  }

  turn<T>({ priority, signal, timeout }: WriteOptions, begin: () => Promise<T>): Promise<T> {
    this.direct = false;
    const options: TaskOptions = {};
    if (priority !== undefined) options.priority = priority;
    if (signal !== undefined) options.signal = signal;
    if (timeout !== undefined) options.timeout = timeout;
    return this.tasks.submit<T>(options, (task) => run(task, begin));
  }
}

/** For what has its turn already. */
export class Now implements Host {
  constructor(readonly tasks: Tasks) {}

  get closed(): Error | undefined {
    return this.tasks.closed;
  }

  turn<T>(_: WriteOptions, begin: () => Promise<T>): Promise<T> {
    return begin();
  }
}

/** Does a task's work; what stops the task stops the work at its next slice. */
export function run(task: Task, begin: () => Promise<unknown>): void {
  begin().then(
    (result) => task.succeed(result),
    (error) => task.fail(error),
  );
}
