import { Scaling } from '../lib/utilities/operations/operations';

const MOST_REPLICAS = 100;

/** What autoscalers ask for: replicas by the requests of all instances. Undefined: nobody has said what one of them bears. */
export function scalingOf(capacity: number | undefined, redis: string | undefined): Scaling | undefined {
  if (capacity === undefined) return undefined;
  const scaling = new Scaling({
    name: 'catalogue',
    capacity,
    max: MOST_REPLICAS,
    ...(redis !== undefined && { redis }),
  });
  // Without Redis each goes by its own load, and says so in its answers.
  scaling.on('redis-error', () => {});
  return scaling;
}
