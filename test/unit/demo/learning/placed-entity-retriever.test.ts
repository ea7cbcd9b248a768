import { describe, expect, it } from 'vitest';
import { PlacedEntityRetriever } from '../../../../src/demo/learning/placed-entity-retriever.js';
import { TitleEntityRetriever } from '../../../../src/demo/learning/title-entity-retriever.js';
import { PLACE_FEATURES, placeBiases, placeFeatures } from '../../../../src/demo/learning/view-places.js';
import type { ImageEncoder, ImageQuery } from '../../../../src/encoders/encoder.js';
import { NgramTextEncoder } from '../../../../src/encoders/ngram/ngram-text-encoder.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import type { EntityHit, RetrieveOptions } from '../../../../src/retrievers/retriever.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { matrix, matrixRow } from '../../../../src/vectors/matrix.js';

const ENTITIES = ['France', 'Norway', 'Niue', 'Peru', 'Chad'].map((title) => ({ id: title, title }));
const UNTRAINED = 'Niue';
const random = new SeededRandom('placed');
const square = (x: number, y: number) => [x, y, x + 0.2, y, x + 0.2, y + 0.2, x, y + 0.2];
const query: ImageQuery = {
  views: matrix(
    Float32Array.from({ length: 6 * 5 }, () => random.uniform(-1, 1)),
    5,
  ),
  viewQuads: Float32Array.from([0, 1, 2, 3, 4, 5].flatMap((i) => square(i / 8, 0.8 - i / 8))),
};

/** What finds entities by their images: the same for every picture, each in a view of its own. */
function foundByImages(): EntityHit[] {
  const logs = [1, 0.5, 0.2, 0, -1];
  const mass = logs.reduce((sum, log) => sum + Math.exp(log), 0);
  return ENTITIES.map((item, i) => ({
    item,
    score: logs[i]!,
    probability: Math.exp(logs[i]!) / mass,
    region: query.viewQuads.slice(i * 8, i * 8 + 8),
  }));
}

async function parts() {
  const textEncoder = new NgramTextEncoder({ dimension: 16 });
  textEncoder.fit([...ENTITIES.map(({ title }) => title), 'the one at the left']);
  const towers = {
    image: await Tower.create({ kind: 'mlp', input: 5, hidden: 6, output: 3 }, { seed: 1 }),
    title: await Tower.create({ kind: 'linear', input: 16, output: 3, bias: false }, { seed: 2 }),
  };
  const where = await Tower.create(
    { kind: 'linear', input: 16, output: PLACE_FEATURES, bias: false, normalise: false },
    { seed: 3 },
  );
  const asked: RetrieveOptions[] = [];
  const imageEncoder = { encodeQuery: async () => query } as unknown as ImageEncoder;
  const titles = await TitleEntityRetriever.build({ entities: ENTITIES, textEncoder, imageEncoder, towers });
  const retriever = new PlacedEntityRetriever({
    imageEncoder,
    images: {
      async retrieveEncoded(_, options) {
        asked.push(options);
        return foundByImages();
      },
    },
    titles,
    trained: new Set(ENTITIES.map(({ id }) => id).filter((id) => id !== UNTRAINED)),
    placeEncoder: textEncoder,
    where,
  });
  return { retriever, textEncoder, towers, where, asked };
}

describe('a retriever that looks where a question says', () => {
  it('weighs images, places and titles as it says', async () => {
    const { retriever, textEncoder, towers, where } = await parts();
    const question = 'the one at the left';
    const hits = await retriever.retrieveEncoded(query, { k: 5, question });

    const asked = await where.encode((await textEncoder.encodeQueries([question])).vectors);
    const weights = asked.data.map((weight) => 3 * weight);
    const bias = (quads: Float32Array) => [...placeBiases(placeFeatures(quads), weights)];
    const biases = bias(query.viewQuads);
    const views = await towers.image.encode(query.views);
    const { vectors } = await textEncoder.encodePassages(ENTITIES.map(({ title }) => title));
    const titles = await towers.title.encode(vectors);
    const logs = foundByImages().map(({ item, probability, region }, row) => {
      const similarities = biases.map(
        (b, view) =>
          matrixRow(views, view).reduce((sum, x, i) => sum + x * matrixRow(titles, row)[i]!, 0) / 0.05 + b,
      );
      const title = item.id === UNTRAINED ? 0.7 / 0.05 + Math.max(...biases) : Math.max(...similarities);
      return { id: item.id, log: Math.log(probability) + bias(region!)[0]! + 0.5 * title };
    });
    const mass = logs.reduce((sum, { log }) => sum + Math.exp(log), 0);
    const expected = logs.toSorted((a, b) => b.log - a.log);
    expect(hits.map(({ item }) => item.id)).toEqual(expected.map(({ id }) => id));
    for (const [i, { probability }] of hits.entries()) {
      expect(probability).toBeCloseTo(Math.exp(expected[i]!.log) / mass, 5);
    }
  });

  it('gives probabilities over the hits that it returns, of which more were weighed', async () => {
    const { retriever, asked } = await parts();
    const all = await retriever.retrieve('picture.jpg', { k: 5 });
    const some = await retriever.retrieve('picture.jpg', { k: 2 });
    expect(asked.map(({ k }) => k)).toEqual([20, 20]);
    expect(some.map(({ item }) => item)).toEqual(all.slice(0, 2).map(({ item }) => item));
    expect(some.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(some[0]!.probability / some[1]!.probability).toBeCloseTo(
      all[0]!.probability / all[1]!.probability,
      9,
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s hits before anything is looked at', async (k) => {
    const { retriever, asked } = await parts();
    const refused = { code: 'K_OUT_OF_RANGE' };
    await expect(retriever.retrieveEncoded(query, { k })).rejects.toMatchObject(refused);
    await expect(retriever.retrieve('picture.jpg', { k })).rejects.toMatchObject(refused);
    expect(asked).toEqual([]);
  });
});
