import { expect, test } from 'vitest';
import type { Entity, Passage } from '../../../../src/corpus/records.js';
import type { AblationSystem } from '../../../../src/demo/ablation/ablation-systems.js';
import { askAllSystems } from '../../../../src/demo/ablation/ask-all-systems.js';
import type { CountryQuestion } from '../../../../src/demo/countries/country-questions.js';
import type { ImageQuery } from '../../../../src/encoders/encoder.js';
import { matrix } from '../../../../src/vectors/matrix.js';

const ENTITIES: Entity[] = ['AA', 'BB'].map((cca2) => ({
  ...{ id: cca2.toLowerCase(), title: cca2, metadata: { cca2 } },
}));
const PASSAGES: Passage[] = ['AA. Its capital is Rome.', 'BB. It is cold.', 'BB. Its capital is Oslo.'].map(
  (text, i) => ({ id: `p${i}`, entityId: text.slice(0, 2).toLowerCase(), text }),
);
const QUESTION: CountryQuestion = {
  ...{ id: '1', cca2: 'BB', kind: 'capital', question: 'The left one: which capital?', answers: ['Oslo'] },
};
const QUERY: ImageQuery = { views: matrix(new Float32Array(2), 2), viewQuads: new Float32Array(8) };
const asked: (string | undefined)[] = [];

/** A system that takes one entity to be in the picture, and ranks its passages in an order. */
function system(entity: number, ...order: readonly number[]): AblationSystem {
  return {
    entities: {
      retrieveEncoded: async (_, { question }) => {
        asked.push(question);
        return [entity, 1 - entity].map((i, place) => ({
          ...{ item: ENTITIES[i]!, score: -place, probability: place === 0 ? 0.9 : 0.1 },
        }));
      },
    },
    passages: {
      retrieve: async (texts) =>
        texts.map((text) =>
          order
            .map((i) => PASSAGES[i]!)
            .filter(({ text: passage }) => passage.startsWith(text.slice(-2)))
            .map((item, place) => ({ item, score: 1 - place / 10, probability: 0.5 })),
        ),
    },
    generator: {
      name: 'last word',
      generate: async (_, passages) =>
        passages.map(({ text }) => [{ text: text.split(' ').at(-1)!, logProbability: Math.log(0.9) }]),
    },
  };
}

test('each system is asked with its own parts, and told the question', async () => {
  const systems = {
    untrained: system(0, 0, 1, 2),
    trained: [[system(1, 0, 1, 2), system(1, 0, 2, 1)]],
    dispose: () => undefined,
  };
  const picture = { question: QUESTION, picture: 'a.jpg', query: QUERY };
  const { untrained, trained } = await askAllSystems(picture, ENTITIES, systems);
  expect(asked).toEqual(new Array(3).fill(QUESTION.question));
  // AA, whose passages come first: Oslo stands in the third passage.
  expect(untrained).toEqual({
    ...{ entityP1: 0, entityMrr100: 0.5, passageMrr: 1 / 3, passageP1: 0, passageP20: 0.05 },
    ...{ exactMatch: 0, f1: 0 },
  });
  const right = { entityP1: 1, entityMrr100: 1, passageP20: 0.05 };
  expect(trained).toEqual([
    [
      { ...right, passageMrr: 0.5, passageP1: 0, exactMatch: 0, f1: 0 },
      { ...right, passageMrr: 1, passageP1: 1, exactMatch: 1, f1: 1 },
    ],
  ]);
});

test('a country without an entity, and an abort, are errors', async () => {
  const systems = { untrained: system(0, 0), trained: [], dispose: () => undefined };
  const ask = (question: CountryQuestion, signal?: AbortSignal) =>
    askAllSystems({ question, picture: 'a.jpg', query: QUERY }, ENTITIES, systems, signal);
  await expect(ask({ ...QUESTION, cca2: 'ZZ' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(ask(QUESTION, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
});
