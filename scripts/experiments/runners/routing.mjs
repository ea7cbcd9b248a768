import { fuseRoute, modalityCentroids, routeByModality } from '../../../dist/esm/composition/index.js';
import { rankedList } from '../../../dist/esm/ranking/ranked-list.js';
import { matrix } from '../../../dist/esm/vectors/matrix.js';

/** The modalities themselves, the likeliest first. */
export async function routes(task) {
  const centroids = await learnedCentroids(task);
  const { items } = task.sources.dense;
  return async ({ query }) => {
    const { probabilities } = routeByModality(await items.encode(query), centroids);
    const list = rankedList([...probabilities.keys()], probabilities);
    return { list, level: 'modality', ids: Array.from(list.rows, (row) => centroids.modalities[row]) };
  };
}

/** What a search for items of the likeliest modality finds, or of all where none is likely enough. */
export async function routed(task, options) {
  const centroids = await learnedCentroids(task);
  const { sources, ids, modalities } = task;
  const { items } = sources.dense;
  return async ({ query }) => {
    const vector = await items.encode(query);
    const found = await items.search(vector, { k: modalities.length });
    const route = routeByModality(vector, centroids, { confidence: options.confidence });
    const lists = Object.fromEntries(
      route.modalities.map((modality) => [modality, ofModality(found, modality, modalities)]),
    );
    const list = fuseRoute(route, lists);
    return { list, level: 'item', ids: Array.from(list.rows, (row) => ids.item[row]) };
  };
}

/** Of the validation queries; one with answers in several modalities counts in each. */
async function learnedCentroids({ sources, validation }) {
  const { items } = sources.dense;
  const [vectors, modalities] = [[], []];
  for (const { query, modalities: own } of validation.queries) {
    const vector = await items.encode(query);
    for (const modality of own) {
      vectors.push(vector);
      modalities.push(modality);
    }
  }
  const columns = vectors[0].length;
  const data = new Float32Array(vectors.length * columns);
  for (const [row, vector] of vectors.entries()) data.set(vector, row * columns);
  return modalityCentroids(matrix(data, columns), modalities);
}

function ofModality({ rows, scores }, modality, modalities) {
  const places = [...rows.keys()].filter((place) => modalities[rows[place]] === modality);
  return {
    rows: Uint32Array.from(places, (place) => rows[place]),
    scores: Float64Array.from(places, (place) => scores[place]),
  };
}
