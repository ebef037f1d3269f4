import { nextTurn } from './jsonTexts';

export const LONG = 20_000;

/** About 1.5 MB of JSON: many slices. */
export function records(): unknown[] {
  return Array.from({ length: LONG }, (_, id) => ({
    id,
    name: `Näme ${id} 名`,
    tags: ['a', 'b'],
    nested: { id },
  }));
}

export async function gather(chunks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** Lets the event loop turn. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}
