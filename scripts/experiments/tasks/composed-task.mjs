import { composeQuery } from '../../../dist/esm/composition/index.js';
import { pseudoRelevance } from '../../../dist/esm/evaluation/pseudo-relevance.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { mergeSources } from '../../../dist/esm/pipeline/index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import { matrix, matrixRow } from '../../../dist/esm/vectors/matrix.js';
import { countryPassages } from './country-passages.mjs';
import { once } from './once.mjs';
import { picturesTask } from './pictures-task.mjs';

/** What picture and question count in a composed query. */
const WEIGHTS = { composed: [0.7, 0.3], 'composed evenly': [0.5, 0.5] };

/**
 * A picture of a flag, and a question that does not name the country, against passages. Relevant are the country's passages that
 * hold an accepted answer: the picture alone cannot tell them from the country's others, nor the question alone from other countries'.
 *
 * - `dense.text`: by the question; `dense.picture`: by the flag of a passage's country
 * - `dense.composed`, `dense['composed evenly']`: by both, one after the other in one vector
 * - `dense.expanded`: by the question and the name of the country whose flag fits best
 */
export async function composedTask() {
  const { passages, vectors, sources, ids } = await countryPassages();
  const { entities, images, sources: imageSources, ...pictures } = await picturesTask();
  const flagOf = new Map(entities.map(({ id }, row) => [id, matrixRow(images.vectors, row)]));
  const flags = passages.map(({ entityId }) => flagOf.get(entityId));
  const { text } = sources.dense;
  const { image } = imageSources.dense;
  const best = async (query) => (await image.search(await image.encode(query, {}), { k: 1 })).rows[0];
  const composed = Object.entries(WEIGHTS).map(([name, [ofPicture, ofText]]) => [
    name,
    vectorSource(concatenated(flags, vectors), async (query) => {
      const picture = await image.encode(query, {});
      const question = await text.encode(query, {});
      return composeQuery([
        { vector: Float32Array.of(...picture, ...new Float32Array(question.length)), weight: ofPicture },
        { vector: Float32Array.of(...new Float32Array(picture.length), ...question), weight: ofText },
      ]);
    }),
  ]);
  const dense = {
    picture: vectorSource(concatenated(flags), (query) => image.encode(query, {})),
    expanded: {
      ...text,
      encode: async (query) =>
        text.encode({ text: `${query.text} ${entities[await best(query)].title}` }, {}),
    },
    ...Object.fromEntries(composed),
  };
  const split = ({ pictures: asked, queries }) => ({
    queries: queries.map(({ id, query }, i) => ({ id, query: { ...query, text: asked[i].question } })),
    qrels: {
      passage: new Map(
        asked.map(({ id, cca2, answers }) => [
          id,
          new Map(
            passages
              .filter(({ entityId }) => entityId === cca2.toLowerCase())
              .filter((passage) => pseudoRelevance(passage.text, answers) !== 'none')
              .map((passage) => [passage.id, 1]),
          ),
        ]),
      ),
    },
  });
  return {
    measures: ['recip_rank', 'P_1', 'ndcg_cut_10'],
    sources: mergeSources(sources, { dense }),
    ids,
    ...split(pictures),
    validation: split(pictures.validation),
  };
}

/** Passages by vectors of their own. */
function vectorSource(vectors, encode) {
  const indexed = once(async () => {
    const index = new FlatIndex({ dimension: vectors.columns });
    await index.add(vectors);
    return index;
  });
  return {
    level: 'passage',
    encode,
    async search(vector, { k, signal }) {
      const index = await indexed();
      const query = { data: vector, rows: 1, columns: vectors.columns };
      return rankedLists(await index.search(query, { k: Math.min(k, index.rows), signal }))[0];
    },
    vectorsOf: async (rows) => concatenated(Array.from(rows, (row) => matrixRow(vectors, row))),
  };
}

/** A matrix of vectors, each followed by its row of another matrix. */
function concatenated(vectors, others) {
  const columns = vectors[0].length + (others?.columns ?? 0);
  const data = new Float32Array(vectors.length * columns);
  for (const [row, vector] of vectors.entries()) {
    data.set(vector, row * columns);
    if (others) data.set(matrixRow(others, row), row * columns + vector.length);
  }
  return matrix(data, columns);
}
