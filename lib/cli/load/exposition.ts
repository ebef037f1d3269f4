/** What a service says of itself, of the names that prom-client and keelson give them. */
export interface ServiceSample {
  /** Seconds; the worst of all threads and processes. */
  readonly delayP99: number | undefined;
  readonly delayMean: number | undefined;
  /** Bytes; the sum of all threads and processes. */
  readonly resident: number | undefined;
  readonly heapUsed: number | undefined;
  /** Seconds of processor time. */
  readonly cpu: number | undefined;
}

const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
const worst = (values: number[]) => Math.max(...values);

const NAMES: Readonly<Record<keyof ServiceSample, readonly [string, (values: number[]) => number]>> = {
  delayP99: ['nodejs_eventloop_lag_p99_seconds', worst],
  delayMean: ['nodejs_eventloop_lag_mean_seconds', worst],
  resident: ['process_resident_memory_bytes', sum],
  heapUsed: ['nodejs_heap_size_used_bytes', sum],
  cpu: ['process_cpu_seconds_total', sum],
};

/** A line of the text format: a name, labels whose values may hold anything, a value and perhaps a timestamp. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S+)/;

/** Reads the text format of Prometheus, and OpenMetrics; undefined if none of the names is there. */
export function readExposition(text: string): ServiceSample | undefined {
  const found = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    const [, name, value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) continue;
    const values = found.get(name);
    if (values === undefined) found.set(name, [Number(value)]);
    else values.push(Number(value));
  }
  const entries = Object.entries(NAMES).map(([key, [name, join]]) => {
    const values = found.get(name);
    return [key, values && join(values)] as const;
  });
  if (entries.every(([, value]) => value === undefined)) return undefined;
  return Object.fromEntries(entries) as unknown as ServiceSample;
}
