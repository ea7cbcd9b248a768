import { expect, test } from 'vitest';
import type { Entity, Passage } from '../../../src/corpus/records.js';
import type { CountryQuestion } from '../../../src/demo/countries/country-questions.js';
import { type DemoParts, evaluateDemo } from '../../../src/demo/evaluate-demo.js';
import { renderTable } from '../../../src/demo/render-table.js';
import type { EntityRetriever } from '../../../src/retrievers/retriever.js';

const ENTITIES: Entity[] = ['AA', 'BB'].map((cca2) => ({
  id: cca2.toLowerCase(),
  title: cca2,
  metadata: { cca2 },
}));
const PASSAGES: Passage[] = [
  { id: 'aa-1', entityId: 'aa', text: 'AA. The capital is Rome.' },
  { id: 'bb-1', entityId: 'bb', text: 'BB. The capital is Oslo.' },
];
const QUESTION: CountryQuestion = {
  id: '1',
  cca2: 'BB',
  kind: 'capital',
  question: 'Which?',
  answers: ['Oslo'],
};

function ranking(...order: readonly number[]): EntityRetriever {
  return {
    retrieve: async (_, { k }) =>
      order
        .slice(0, k)
        .map((i, place) => ({ item: ENTITIES[i]!, score: -place, probability: place === 0 ? 0.9 : 0.1 })),
  };
}

/** Passages whose entity the query names come first; the question alone finds AA first. */
const PARTS: DemoParts = {
  entities: ENTITIES,
  withoutMaxSim: ranking(0, 1),
  withMaxSim: ranking(1, 0),
  passages: {
    retrieve: async (texts) =>
      texts.map((text) =>
        PASSAGES.map((item) => ({
          item,
          score: text.endsWith(item.entityId.toUpperCase()) ? 1 : 0,
          probability: 0.5,
        })).sort((a, b) => b.score - a.score),
      ),
  },
  generator: {
    name: 'last word',
    generate: async (_, passages) =>
      passages.map(({ text }) => [{ text: text.split(' ').at(-1)!, logProbability: Math.log(0.9) }]),
  },
};

test('the four systems score as computed by hand', async () => {
  const done: number[] = [];
  const { questions, systems, timings } = await evaluateDemo(
    [
      { question: QUESTION, picture: 'a.jpg' },
      { question: { ...QUESTION, id: '2', cca2: 'AA', answers: ['Rome'] }, picture: 'b.jpg' },
    ],
    PARTS,
    { onProgress: (count) => done.push(count) },
  );
  expect(questions).toBe(2);
  expect(done).toEqual([1, 2]);
  const half = {
    entityP1: 0.5,
    entityMrr100: 0.75,
    passageP1: 0.5,
    passageP20: 1 / 20,
    exactMatch: 0.5,
    f1: 0.5,
  };
  expect(systems.slice(0, 3)).toEqual([
    { name: 'question alone', ...half },
    { name: 'entity, without MaxSim', ...half },
    { name: 'entity, with MaxSim', ...half },
  ]);
  expect(systems[3]).toEqual({
    name: 'gold entity',
    entityP1: 1,
    entityMrr100: 1,
    passageP1: 1,
    passageP20: 1 / 20,
    exactMatch: 1,
    f1: 1,
  });
  expect(Object.values(timings).every((ms) => ms >= 0)).toBe(true);
});

test('the better retriever scores better', async () => {
  const { systems } = await evaluateDemo([{ question: QUESTION, picture: 'a.jpg' }], PARTS);
  expect(systems.map(({ exactMatch }) => exactMatch)).toEqual([0, 0, 1, 1]);
  expect(systems.map(({ entityMrr100 }) => entityMrr100)).toEqual([0.5, 0.5, 1, 1]);
});

test('the table is aligned and gives every score', async () => {
  const evaluation = await evaluateDemo([{ question: QUESTION, picture: 'a.jpg' }], PARTS);
  const lines = renderTable(evaluation).split('\n');
  expect(lines).toHaveLength(5);
  expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
  expect(lines[4]).toMatch(/^\(d\) gold entity +1\.000 +1\.000 +1\.000 +0\.050 +1\.000 +1\.000$/u);
});

test('nothing to evaluate, an unknown country and an aborted signal are errors', async () => {
  await expect(evaluateDemo([], PARTS)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  const pair = { question: { ...QUESTION, cca2: 'ZZ' }, picture: 'a.jpg' };
  await expect(evaluateDemo([pair], PARTS)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  const signal = AbortSignal.abort();
  await expect(
    evaluateDemo([{ question: QUESTION, picture: 'a.jpg' }], PARTS, { signal }),
  ).rejects.toMatchObject({
    code: 'ABORTED',
  });
});
