import { afterEach, expect, it, vi } from 'vitest';
import { type LineBatch, lineBatches } from '../../../src/corpus/ingest/line-batches.js';

async function* lines(count: number, passages: number) {
  for (let line = 1; line <= count; line++) {
    const own = Array.from({ length: passages }, (_, i) => ({ id: `${line}#${i}`, text: `Text ${i}` }));
    yield { line, value: { entity: { id: `e${line}`, title: 'E' }, passages: own } };
  }
}

async function all(batches: AsyncIterable<LineBatch>): Promise<LineBatch[]> {
  const found: LineBatch[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

afterEach(() => void vi.restoreAllMocks());

it('long lines do not come together in one batch, and short ones do', async () => {
  const long = await all(lineBatches(lines(9, 300), '.', undefined));
  expect(long.map((batch) => [batch.lines.length, batch.done])).toEqual(
    Array.from({ length: 9 }, (_, i) => [1, i + 1]),
  );
  const short = await all(lineBatches(lines(100, 5), '.', undefined));
  expect(short.map((batch) => [batch.lines.length, batch.done])).toEqual([
    [52, 52],
    [48, 100],
  ]);
});

it('others run between two lines that take long', async () => {
  let time = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (time += 10));
  let turns = 0;
  let counting = true;
  const count = () => {
    turns += 1;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  await all(lineBatches(lines(8, 1), '.', undefined));
  counting = false;
  expect(turns).toBeGreaterThanOrEqual(8);
});
