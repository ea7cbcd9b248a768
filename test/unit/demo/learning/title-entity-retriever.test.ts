import { expect, test } from 'vitest';
import { TitleEntityRetriever } from '../../../../src/demo/learning/title-entity-retriever.js';
import type { ImageEncoder, ImageQuery } from '../../../../src/encoders/encoder.js';
import { NgramTextEncoder } from '../../../../src/encoders/ngram/ngram-text-encoder.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { matrix, matrixRow } from '../../../../src/vectors/matrix.js';

const TITLES = ['France', 'Norway', 'Niue', 'Peru'];
const VIEWS = 7;

test('an entity scores by the view that fits its title best, and is found there', async () => {
  const random = new SeededRandom('views');
  const query: ImageQuery = {
    views: matrix(
      Float32Array.from({ length: VIEWS * 5 }, () => random.uniform(-1, 1)),
      5,
    ),
    viewQuads: Float32Array.from({ length: VIEWS * 8 }, (_, i) => Math.floor(i / 8) / 10),
  };
  const released: string[] = [];
  const imageEncoder = {
    encodeQuery: async (picture: string) => ({ ...query, release: () => released.push(picture) }),
  } as unknown as ImageEncoder;
  const textEncoder = new NgramTextEncoder({ dimension: 16 });
  textEncoder.fit(TITLES);
  const image = await Tower.create({ kind: 'mlp', input: 5, hidden: 6, output: 3 }, { seed: 1 });
  const title = await Tower.create({ kind: 'linear', input: 16, output: 3, bias: false }, { seed: 2 });
  const entities = TITLES.map((name) => ({ id: name.toLowerCase(), title: name }));
  const retriever = await TitleEntityRetriever.build({
    entities,
    textEncoder,
    imageEncoder,
    towers: { image, title },
  });

  const views = await image.encode(query.views);
  const titles = await title.encode((await textEncoder.encodePassages(TITLES)).vectors);
  const expected = TITLES.map((name, row) => {
    const scores = Array.from({ length: VIEWS }, (_, view) =>
      matrixRow(views, view).reduce((sum, value, i) => sum + value * matrixRow(titles, row)[i]!, 0),
    );
    const score = Math.max(...scores);
    return { id: name.toLowerCase(), score, view: scores.indexOf(score) };
  }).sort((a, b) => b.score - a.score);

  const hits = await retriever.retrieve('picture.jpg', { k: 3 });
  expect(released).toEqual(['picture.jpg']);
  expect(hits.map(({ item }) => item.id)).toEqual(expected.slice(0, 3).map(({ id }) => id));
  const mass = expected.slice(0, 3).reduce((sum, { score }) => sum + Math.exp(score / 0.05), 0);
  for (const [i, { score, probability, region }] of hits.entries()) {
    expect(score).toBeCloseTo(expected[i]!.score, 5);
    expect(probability).toBeCloseTo(Math.exp(expected[i]!.score / 0.05) / mass, 4);
    expect(region![0]).toBeCloseTo(expected[i]!.view / 10, 6);
  }
  const biases = Float64Array.from({ length: VIEWS }, () => random.uniform(-20, 20));
  const weighed = await retriever.scores(query, biases);
  for (const [row, name] of TITLES.entries()) {
    const scores = Array.from(
      biases,
      (bias, view) =>
        matrixRow(views, view).reduce((sum, value, i) => sum + value * matrixRow(titles, row)[i]!, 0) / 0.05 +
        bias,
    );
    expect(weighed.get(name.toLowerCase())).toBeCloseTo(Math.max(...scores), 4);
  }
  await expect(retriever.retrieveEncoded(query, { k: 0 })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
});
