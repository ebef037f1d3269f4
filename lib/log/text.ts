/** Units of one string that are written. */
export const MAX_STRING: number = 8 * 2 ** 20;

/** The text of something that is to be a text. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return cut(value);
  try {
    return cut(String(value));
  } catch (error) {
    return thrown(error);
  }
}

export function cut(text: string): string {
  if (text.length <= MAX_STRING) return text;
  return `${text.slice(0, MAX_STRING)} [${text.length - MAX_STRING} more units]`;
}

/** What stands where something was thrown. */
export function thrown(error: unknown): string {
  try {
    return `[Throws: ${cut(String((error as any)?.message ?? error))}]`;
  } catch {
    return '[Throws]';
  }
}
