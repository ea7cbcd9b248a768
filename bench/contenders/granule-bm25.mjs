/** How granule takes part where passages are searched by their words. */
import { BM25, eachPassage } from '../bm25-oracle.mjs';
import { textOf } from '../seeded-words.mjs';

const TEXTS_PER_ADD = 20_000;

export async function openBm25({ dataset, threads }) {
  const { analyzer, Bm25Index } = await import('../../dist/esm/text/index.js');
  const plain = analyzer({ stopWords: false, stemming: false });
  const index = new Bm25Index({ ...BM25, analyzer: plain, threads });
  let texts = [];
  const adds = [];
  eachPassage(dataset, (_, words) => {
    texts.push(textOf(words));
    if (texts.length < TEXTS_PER_ADD) return;
    adds.push(texts);
    texts = [];
  });
  for (const each of [...adds, texts]) await index.add(each);
  return ({ k }) => ({
    elementBytes: 4,
    search: (query) => index.search([textOf(query)], { k }),
    hits: ({ rows, scores, counts }) => ({
      rows: [...rows.subarray(0, counts[0])],
      scores: [...scores.subarray(0, counts[0])],
    }),
  });
}
