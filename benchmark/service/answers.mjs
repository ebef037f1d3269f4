import { createHash } from 'node:crypto';
import { bodies, CACHED_PATHS, DELIVERY_PATHS, REQUEST_LIMIT } from './requests.mjs';

/** An administrator of the example's. */
const LOGIN = { name: 'ada', password: 'analytical engine' };
const JSON_TYPE = { 'content-type': 'application/json' };
/** Of clients that nobody else is. */
const PROBES = ['13.0.0.1', '13.0.0.2'];

export async function logIn(url) {
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify(LOGIN),
  });
  if (!response.ok) throw new Error(`the login was answered ${response.status}: ${await response.text()}`);
  return response.headers.getSetCookie()[0].split(';')[0];
}

/** The page shows numbers that are never the same. */
const withoutNumbers = (text) => text.replace(/(<dd [^>]*>)[^<]*/g, '$1');

/** A hash of what a service answers to each kind of request, and to one too many. */
export async function answersOf(url, cookie) {
  const hash = createHash('sha1');
  const ask = async (from, path, init = {}) => {
    const response = await fetch(url + path, {
      ...init,
      headers: { 'x-forwarded-for': from, ...init.headers },
    });
    const text = withoutNumbers(await response.text());
    return `${response.status} ${response.headers.get('content-type')} ${text}\n`;
  };
  for (const path of [
    ...CACHED_PATHS,
    ...DELIVERY_PATHS,
    '/',
    '/api/search?q=tactile',
    '/api/products/none',
    '/nothing',
  ]) {
    hash.update(await ask(PROBES[0], path));
  }
  for (const body of bodies()) {
    hash.update(
      await ask(PROBES[0], '/api/import', { method: 'POST', headers: { ...JSON_TYPE, cookie }, body }),
    );
  }
  for (let count = 0; count < REQUEST_LIMIT + 10; count++) {
    // The message tells the seconds that are left.
    hash.update((await ask(PROBES[1], '/api/categories')).slice(0, 3));
  }
  return hash.digest('hex');
}
