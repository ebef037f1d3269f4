import { bytes, seconds, share } from './format.js';
import { chartBy, isUp, now, rate, shareOf } from './parts.js';
import type { ChartSpec, SectionSpec } from './section.js';

const NAME = { name: 'Name' };
const HIT = { result: 'hit' };
const CACHE = 'keelson.cache';
const SHARED = 'keelson.shared_cache';
const TIERED = 'keelson.tiered_cache';

function hitRate(family: string): ChartSpec {
  return {
    title: 'Hit rate',
    format: share,
    most: 1,
    lines: (figures) => [['all', figures.share(family, HIT)]],
  };
}

const caches: SectionSpec = {
  id: 'caches',
  title: 'Caches',
  needs: [`${CACHE}.lookups`],
  charts: [
    hitRate(`${CACHE}.lookups`),
    chartBy('Lookups by result', `${CACHE}.lookups`, 'result'),
    chartBy('Removals by reason', `${CACHE}.removals`, 'reason'),
  ],
  tables: [
    {
      title: 'Caches by name',
      rows: `${CACHE}.entries`,
      labels: NAME,
      columns: [
        now('Entries', `${CACHE}.entries`),
        now('Limit', `${CACHE}.entries.limit`),
        shareOf('Hit rate', `${CACHE}.lookups`, HIT, share),
        rate('Lookups', `${CACHE}.lookups`),
        rate('Inserted', `${CACHE}.insertions`),
        rate('Removed', `${CACHE}.removals`),
        now('Rejected', `${CACHE}.rejections`),
        rate('Loads', `${CACHE}.loads`),
        now('Failed loads', `${CACHE}.load.failures`),
      ],
    },
  ],
};

const sharedCaches: SectionSpec = {
  id: 'shared-caches',
  title: 'Shared caches',
  needs: [`${SHARED}.lookups`],
  charts: [
    hitRate(`${SHARED}.lookups`),
    chartBy('Size', `${SHARED}.size`, 'name', 'value', bytes),
    chartBy('Removals by reason', `${SHARED}.removals`, 'reason'),
  ],
  tables: [
    {
      title: 'Shared caches by name',
      rows: `${SHARED}.entries`,
      labels: NAME,
      columns: [
        now('Entries', `${SHARED}.entries`),
        now('Size', `${SHARED}.size`, bytes),
        shareOf('Hit rate', `${SHARED}.lookups`, HIT, share),
        rate('Lookups', `${SHARED}.lookups`),
        rate('Stored', `${SHARED}.sets`),
        rate('Removed', `${SHARED}.removals`),
        now('Rejected', `${SHARED}.rejections`),
      ],
    },
  ],
};

const tieredCaches: SectionSpec = {
  id: 'tiered-caches',
  title: 'Tiered caches',
  needs: [`${TIERED}.lookups`],
  charts: [
    chartBy('Lookups by tier', `${TIERED}.lookups`, 'result'),
    chartBy('Stale answers', `${TIERED}.stale`, 'reason'),
  ],
  tables: [
    {
      title: 'Tiered caches by name',
      rows: `${TIERED}.lookups`,
      labels: NAME,
      columns: [
        isUp('Redis', `${TIERED}.redis.up`),
        rate('Lookups', `${TIERED}.lookups`),
        ...['l1', 'l2', 'l3'].map((result) =>
          shareOf(result.toUpperCase(), `${TIERED}.lookups`, { result }, share),
        ),
        rate('Loads', `${TIERED}.loads`),
        now('Failed loads', `${TIERED}.load.failures`),
        now('Pending writes', `${TIERED}.writes.pending`),
        now('Owed', `${TIERED}.redis.owed`),
        now('Staleness', `${TIERED}.staleness`, seconds),
      ],
    },
  ],
};

export const CACHES: readonly SectionSpec[] = [caches, sharedCaches, tieredCaches];
