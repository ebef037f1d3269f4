/** Shows a figure. */
export type Format = (value: number) => string;

/** Where there is no figure. */
export const NONE = '–';

function digits(value: number): string {
  const size = Math.abs(value);
  const most = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: most });
}

function scaled(value: number, steps: readonly (readonly [least: number, unit: string])[]): string {
  const [least, unit] = steps.find(([step]) => Math.abs(value) >= step) ?? steps.at(-1)!;
  return `${digits(value / least)}${unit}`;
}

export const count: Format = (value) =>
  Math.abs(value) < 10_000
    ? digits(value)
    : scaled(value, [
        [1e9, ' G'],
        [1e6, ' M'],
        [1e3, ' k'],
      ]);

export const perSecond: Format = (value) => `${count(value)}/s`;

export const bytes: Format = (value) =>
  scaled(value, [
    [2 ** 30, ' GiB'],
    [2 ** 20, ' MiB'],
    [2 ** 10, ' KiB'],
    [1, ' B'],
  ]);

export const bytesPerSecond: Format = (value) => `${bytes(value)}/s`;

export const seconds: Format = (value) =>
  value === 0
    ? '0 ms'
    : scaled(value, [
        [1, ' s'],
        [1e-3, ' ms'],
        [1e-6, ' µs'],
      ]);

export const share: Format = (value) => `${digits(value * 100)} %`;

/** How long something has been there. */
export const age: Format = (value) => {
  const [days, hours, minutes] = [
    Math.floor(value / 86_400),
    Math.floor(value / 3_600) % 24,
    Math.floor(value / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${Math.floor(value % 60)} s`;
  return `${Math.floor(value)} s`;
};

/** A figure that may not be there. */
export function show(value: number | undefined, format: Format): string {
  return value === undefined ? NONE : format(value);
}
