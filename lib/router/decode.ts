import { MalformedPathError } from '../errors.js';

/** Decodes a parameter. @throws MalformedPathError for an escape that is not UTF-8. */
export function decodeParameter(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new MalformedPathError(text);
  }
}

/** The same for a catch-all, in which `%2F` stays: decoded it could not be told from a slash of the path. */
export function decodeRest(text: string): string {
  return text
    .split(/(%2f)/i)
    .map((part, at) => (at % 2 === 1 ? part : decodeParameter(part)))
    .join('');
}
