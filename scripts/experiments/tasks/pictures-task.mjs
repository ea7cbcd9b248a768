import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { countryQuestions } from '../../../dist/esm/demo/countries/country-questions.js';
import { flagPath } from '../../../dist/esm/demo/countries/flag-images.js';
import { pictureInput } from '../../../dist/esm/demo/pictures/picture-source.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { imageSources, mergeSources } from '../../../dist/esm/pipeline/index.js';
import { MemoryImageStore } from '../../../dist/esm/retrievers/memory-image-store.js';
import { builtInEncodersInThreads } from '../../../dist/esm/systems/built-in-encoders.js';
import { correctedSource } from './corrected-source.mjs';
import { once } from './once.mjs';
import { pooledPatches } from './pooled-patches.mjs';

/** Pictures to measure on, and others to fit on. */
const PICTURES = { evaluation: 80, training: 40 };
/** Enough to keep the threads busy, few enough for their memory. */
const AT_ONCE = 4;
/** Windows of a picture that stand for the frames of a clip. */
const FRAMES = 4;

/**
 * A made picture of a flag in clutter, against the images of 250 entities. Relevant is the country's image, and, where images were
 * aggregated, its entity.
 *
 * A picture is looked at through one window: that with the greatest inner product with any image. It is not fitted to images
 * further, which the demo does: there would be little left for the methods to tell apart.
 */
export const picturesTask = once(async () => {
  const facts = countryFacts();
  const entities = facts.map(({ cca2, title }) => ({ id: cca2.toLowerCase(), title }));
  const { imageEncoder, close } = builtInEncodersInThreads();
  try {
    const images = await imageEncoder.encodeImages(facts.map(({ cca2 }) => flagPath(cca2)));
    const store = await MemoryImageStore.build({ entities, ...images });
    const index = new FlatIndex({ dimension: images.vectors.columns });
    await index.add(images.vectors);
    const windows = new Map();
    const splits = {};
    for (const [split, count] of Object.entries(PICTURES)) {
      splits[split] = await picturesOf(split, count, async (image) => {
        windows.set(image, await bestWindow(image, imageEncoder, index));
      });
    }
    const encoder = { ...identityOf(imageEncoder), encodeQuery: async (image) => windows.get(image) };
    const whole = imageSources(store, { encoder });
    const bank = splits.training.queries.map(({ query }) => query);
    const corrected = correctedSource(whole.dense.image, images.vectors, bank);
    return {
      measures: ['recip_rank', 'P_1', 'ndcg_cut_10'],
      sources: mergeSources(
        whole,
        { dense: { corrected } },
        await pooledPatches({ entities, images, encoder }),
      ),
      ids: { image: entities.map(({ id }) => id) },
      entities,
      images,
      ...splits.evaluation,
      validation: splits.training,
      framesOf: ({ image }) => windows.get(image).frames,
    };
  } finally {
    await close();
  }
});

async function picturesOf(split, count, encode) {
  const pictures = countryQuestions({ seed: 1, split, count });
  const queries = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    queries.push(
      ...(await Promise.all(
        pictures.slice(first, first + AT_ONCE).map(async ({ id, cca2 }) => {
          const image = await pictureInput({ cca2, seed: `experiment ${id}` });
          await encode(image);
          return { id, query: { image } };
        }),
      )),
    );
  }
  const own = new Map(pictures.map(({ id, cca2 }) => [id, new Map([[cca2.toLowerCase(), 1]])]));
  return { pictures, queries, qrels: { image: own, entity: own } };
}

/** The picture as a query of one view, and the patches of its `frames`: the windows that fit next best come after it. */
async function bestWindow(image, encoder, index) {
  const query = await encoder.encodeQuery(image);
  const { scores } = await index.search(query.views, { k: 1 });
  const [best, ...next] = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, FRAMES);
  const patches = await query.patchesOf([best]);
  const frames = (await query.patchesOf([best, ...next])).patches;
  query.release?.();
  const { data, columns } = query.views;
  const view = data.slice(best * columns, (best + 1) * columns);
  return {
    views: { data: view, rows: 1, columns },
    viewQuads: query.viewQuads.slice(best * 8, (best + 1) * 8),
    patchesOf: async () => patches,
    frames,
  };
}

function identityOf({ name, version, dimension, patchDimension }) {
  return { name, version, dimension, patchDimension };
}
