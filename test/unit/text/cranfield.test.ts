/** BM25 on the Cranfield collection, against figures that were published with it; read from a folder beside the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyzer } from '../../../src/text/analyzer.js';
import { Bm25Index, type Bm25IndexOptions } from '../../../src/text/bm25-index.js';

const DATA = resolve(import.meta.dirname, '../../../../shared/data/cranfield');
const hasData = existsSync(join(DATA, 'corpus.jsonl'));
const DEPTH = 1000;

function lines<T>(file: string): T[] {
  return readFileSync(join(DATA, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function readQrels(): Map<string, Set<string>> {
  const relevant = new Map<string, Set<string>>();
  for (const line of readFileSync(join(DATA, 'cranqrel.trec.txt'), 'utf8').trim().split('\n')) {
    const [query, , document, grade] = line.split(/\s+/) as [string, string, string, string];
    if (Number(grade) > 0) relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  return relevant;
}

/** Mean average precision, precision at 10 and nDCG at 10, slow and obvious. */
async function measure(options: Bm25IndexOptions) {
  const documents = lines<{ id: string; title: string; text: string }>('corpus.jsonl');
  const queries = lines<{ _id: string; text: string }>('queries.seq-ids.jsonl');
  const relevant = readQrels();
  using index = new Bm25Index(options);
  await index.add(documents.map(({ title, text }) => `${title} ${text}`));
  const { rows, counts, k } = await index.search(
    queries.map(({ text }) => text),
    { k: DEPTH },
  );
  const sums = { map: 0, p10: 0, ndcg10: 0 };
  for (const [q, { _id }] of queries.entries()) {
    const wanted = relevant.get(_id)!;
    const ranks = Array.from(rows.subarray(q * k, q * k + counts[q]!), (row) => documents[row]!.id)
      .map((id, place) => ({ id, rank: place + 1 }))
      .filter(({ id }) => wanted.has(id))
      .map(({ rank }) => rank);
    const first = ranks.filter((rank) => rank <= 10);
    const gain = (all: readonly number[]) => all.reduce((sum, rank) => sum + 1 / Math.log2(rank + 1), 0);
    const ideal = Array.from({ length: Math.min(10, wanted.size) }, (_, place) => place + 1);
    sums.map += ranks.reduce((sum, rank, found) => sum + (found + 1) / rank, 0) / wanted.size;
    sums.p10 += first.length / 10;
    sums.ndcg10 += gain(first) / gain(ideal);
  }
  const { map, p10, ndcg10 } = sums;
  return { map: map / queries.length, p10: p10 / queries.length, ndcg10: ndcg10 / queries.length };
}

describe.skipIf(!hasData)(`Cranfield${hasData ? '' : ' (skipped: shared/data is absent)'}`, () => {
  const CLASSIC = { k1: 1.2, b: 0.75 };
  const PLAIN = { ...CLASSIC, analyzer: analyzer({ stopWords: false, stemming: false }) };

  it('is as published, MAP .280, P@10 .226, nDCG@10 .361, with plain tokens and the classic k1 and b', async () => {
    const { map, p10, ndcg10 } = await measure(PLAIN);
    expect(Math.abs(map - 0.28)).toBeLessThan(0.003);
    expect(Math.abs(p10 - 0.226)).toBeLessThan(0.003);
    expect(Math.abs(ndcg10 - 0.361)).toBeLessThan(0.003);
  });

  // The table of docs/text.md: stems alone are worth .026 of MAP.
  it.each([
    ['plain tokens', PLAIN, [0.277, 0.224, 0.36]],
    ['stems', { ...CLASSIC, analyzer: analyzer({ stopWords: false }) }, [0.304, 0.231, 0.382]],
    ['stems without stop words', CLASSIC, [0.305, 0.235, 0.385]],
    ['what is used by default', {}, [0.288, 0.222, 0.366]],
  ] as [string, Bm25IndexOptions, number[]][])('with %s is as documented', async (_, options, figures) => {
    const { map, p10, ndcg10 } = await measure(options);
    for (const [i, figure] of [map, p10, ndcg10].entries()) {
      expect(Math.abs(figure - figures[i]!)).toBeLessThan(0.0006);
    }
  });
});
