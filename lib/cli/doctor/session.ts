/** Answers of the inspector, of which only what is used here is named. */
export interface Answer {
  result?: { value?: unknown; objectId?: string };
  exceptionDetails?: { text: string; exception?: { description?: string } };
  [name: string]: unknown;
}

interface Message extends Answer {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  error?: { message: string };
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  limit: NodeJS.Timeout;
}

/** The thread gave no answer: it is busy, has ended, or refused. */
export class NoAnswer extends Error {}

/** Speaks the inspector's protocol with one thread: requests with their answers, and events. */
export class Session {
  readonly #write: (text: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (params: Record<string, unknown>) => void>();
  #last = 0;
  /** Why nothing comes any more. */
  #over: string | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Has one listener of each event. */
  on(event: string, listener: (params: Record<string, any>) => void): void {
    this.#listeners.set(event, listener);
  }

  /** @throws NoAnswer, after `limitMs` at the latest */
  post(method: string, params: Record<string, unknown> = {}, limitMs = 10_000): Promise<Answer> {
    if (this.#over !== undefined) return Promise.reject(new NoAnswer(this.#over));
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new NoAnswer(`no answer within ${limitMs / 1000} s`));
      }, limitMs);
      this.#waiting.set(id, { resolve, reject, limit });
      this.#write(JSON.stringify({ id, method, params }));
    });
  }

  /** The value of an expression, as JSON carries it. */
  async evaluate<T>(expression: string, limitMs?: number): Promise<T> {
    const params = { expression, includeCommandLineAPI: true, silent: true, returnByValue: true };
    const { result, exceptionDetails } = await this.post('Runtime.evaluate', params, limitMs);
    if (exceptionDetails) {
      throw new NoAnswer(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result?.value as T;
  }

  receive(text: string): void {
    const { id, method, params, error, result } = JSON.parse(text) as Message;
    if (id === undefined) {
      this.#listeners.get(method ?? '')?.(params ?? {});
      return;
    }
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.limit);
    if (error) waiting.reject(new NoAnswer(error.message));
    else waiting.resolve((result ?? {}) as Answer);
  }

  /** Nothing comes any more, for this reason. */
  end(reason: string): void {
    this.#over = reason;
    for (const { reject, limit } of this.#waiting.values()) {
      clearTimeout(limit);
      reject(new NoAnswer(reason));
    }
    this.#waiting.clear();
  }
}
