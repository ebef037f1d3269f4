import { zipf } from '../harness/zipf.mjs';

// Traces of requests for keys; each makes, for a round, what draws the next key's number.

const KEYS = 1_000_000;
export const REQUESTS = 1_000_000;
export const SCAN_EVERY = 10_000;
export const SCAN_LENGTH = 2000;
export const SHIFT_EVERY = 50_000;
const SHIFT_BY = 5000;

export function zipfOnly(round) {
  return zipf(KEYS, 0.99, round);
}

/** Zipf requests, and every 10,000 of them a report or a crawler reads 2,000 things that nobody asks for again. */
export function zipfWithScans(round) {
  const popular = zipf(KEYS, 0.99, round);
  let unseen = KEYS;
  let request = 0;
  return () => (request++ % SCAN_EVERY < SCAN_LENGTH ? unseen++ : popular());
}

/** Zipf requests, and after every 50,000 others are popular than before. */
export function zipfThatShifts(round) {
  const popular = zipf(KEYS, 0.99, round);
  let request = 0;
  return () => (popular() + Math.floor(request++ / SHIFT_EVERY) * SHIFT_BY) % KEYS;
}
