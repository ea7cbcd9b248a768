import { expect, test } from 'vitest';
import type { Passage } from '../../../../src/corpus/records.js';
import {
  AnswersOnce,
  EntitiesOnce,
  PassagesOnce,
  queriesOnce,
  ViewsOnce,
} from '../../../../src/demo/ablation/remembering-parts.js';
import type { ImageQuery } from '../../../../src/encoders/encoder.js';
import { NgramTextEncoder } from '../../../../src/encoders/ngram/ngram-text-encoder.js';
import { DensePassageRetriever } from '../../../../src/retrievers/dense-passage-retriever.js';
import { matrix } from '../../../../src/vectors/matrix.js';

const PASSAGES: Passage[] = ['Rome is warm.', 'Oslo is cold.', 'Rome is old.'].map((text, i) => ({
  ...{ id: `p${i}`, entityId: `e${i}`, text },
}));
const view = (value: number): ImageQuery => ({
  views: matrix(Float32Array.of(value, 0), 2),
  viewQuads: new Float32Array(8),
});

test('passages are the same as without remembering, and each text is searched once', async () => {
  const plain = new NgramTextEncoder();
  plain.fit(PASSAGES.map(({ text }) => text));
  const asked: string[][] = [];
  const encoder = queriesOnce({
    name: plain.name,
    version: plain.version,
    dimension: plain.dimension,
    fit: (passages) => plain.fit(passages),
    state: () => plain.state(),
    restore: (state) => plain.restore(state),
    encodePassages: (texts) => plain.encodePassages(texts),
    encodeQueries: (texts) => {
      asked.push([...texts]);
      return plain.encodeQueries(texts);
    },
  });
  using wanted = await DensePassageRetriever.build({ encoder: plain, passages: PASSAGES });
  using searched = await DensePassageRetriever.build({ encoder, passages: PASSAGES });
  const once = new PassagesOnce(searched, 3);
  for (const k of [1, 3, 2]) {
    const texts = ['old Rome', 'cold', 'old Rome'];
    const expected = await wanted.retrieve(texts, { k });
    const found = await once.retrieve(texts, { k });
    expect(found.map((list) => list.map(({ item, score }) => [item.id, score]))).toEqual(
      expected.map((list) => list.map(({ item, score }) => [item.id, score])),
    );
  }
  expect(asked).toEqual([['old Rome', 'cold']]);
  const { vectors } = await encoder.encodeQueries(['warm', 'old Rome']);
  expect(vectors).toEqual((await plain.encodeQueries(['warm', 'old Rome'])).vectors);
  expect(asked).toEqual([['old Rome', 'cold'], ['warm']]);
});

test('a passage is read once for a question, and anew for another', async () => {
  const read: string[] = [];
  const reader = new AnswersOnce({
    name: 'reader',
    generate: async (question, passages) => {
      read.push(...passages.map(({ id }) => `${question} ${id}`));
      return passages.map(({ id }) => [{ text: `${question} ${id}`, logProbability: 0 }]);
    },
  });
  await reader.generate('A', PASSAGES.slice(0, 2));
  const answers = await reader.generate('A', [PASSAGES[2]!, PASSAGES[1]!]);
  await reader.generate('B', [PASSAGES[1]!]);
  expect(read).toEqual(['A p0', 'A p1', 'A p2', 'B p1']);
  expect(answers.map(([first]) => first!.text)).toEqual(['A p2', 'A p1']);
  // Together, a question and an id may be the text of another pair.
  const [passage] = PASSAGES;
  await reader.generate('C', [{ ...passage!, id: 'x\ny' }]);
  const [others] = await reader.generate('C\nx', [{ ...passage!, id: 'y' }]);
  expect(others!.map(({ text }) => text)).toEqual(['C\nx y']);
});

test('entities are looked for once for a picture and a question; views once, whoever has them', async () => {
  let calls = 0;
  const counting = {
    retrieveEncoded: async (query: ImageQuery) => {
      calls += 1;
      return [{ item: { id: 'e', title: 'E' }, score: query.views.data[0]!, probability: 1 }];
    },
  };
  const entities = new EntitiesOnce(counting);
  const picture = view(1);
  await entities.retrieveEncoded(picture, { k: 1, question: 'left?' });
  await entities.retrieveEncoded(picture, { k: 1, question: 'left?' });
  expect(calls).toBe(1);
  await entities.retrieveEncoded(picture, { k: 1, question: 'right?' });
  await entities.retrieveEncoded(view(1), { k: 1, question: 'right?' });
  expect(calls).toBe(3);

  calls = 0;
  const views = new ViewsOnce(counting);
  const [one, other, again] = [view(1), view(2), view(1)];
  const found = [];
  for (const query of [one, other, again]) found.push(...(await views.retrieveEncoded(query, { k: 1 })));
  expect(found.map(({ score }) => score)).toEqual([1, 2, 1]);
  expect(calls).toBe(2);
});
