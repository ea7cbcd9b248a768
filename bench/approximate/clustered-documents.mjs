/**
 * Documents and queries of several vectors each, as models give them: vectors lie around topics, a document is about a few of
 * them, and a query is made of vectors of one document, moved.
 */
import { SeededRandom } from '../../dist/esm/ranking/seeded-random.js';

const SEED = 'clustered documents';
const TOPICS = 500;
const TOPICS_PER_DOCUMENT = 4;
/** Vectors of a document: between half and one and a half times as many. */
const VECTORS = 40;
/** Vectors of a query. */
export const QUERY_VECTORS = 32;
/** Length of what is added to a topic's unit vector, and to a document's vector for a query. */
const SPREAD = 0.6;
const QUERY_SPREAD = 0.6;

/** @returns `{ documents, queries }`: a ragged matrix of unit vectors, and an array of 32 x d numbers for each query */
export function clusteredDocuments(count, dimension, queryCount) {
  const random = new SeededRandom(SEED);
  const topics = Array.from({ length: TOPICS }, () => moved(new Float32Array(dimension), 1, random));
  const lengths = Uint32Array.from({ length: count }, () =>
    random.integer(Math.ceil(VECTORS / 2), Math.floor(VECTORS * 1.5)),
  );
  const starts = new Uint32Array(count);
  for (let document = 1; document < count; document++) {
    starts[document] = starts[document - 1] + lengths[document - 1];
  }
  const data = new Float32Array((starts[count - 1] + lengths[count - 1]) * dimension);
  for (let document = 0; document < count; document++) {
    const own = Array.from({ length: TOPICS_PER_DOCUMENT }, () => random.pick(topics));
    for (let i = 0; i < lengths[document]; i++) {
      data.set(moved(random.pick(own), SPREAD, random), (starts[document] + i) * dimension);
    }
  }
  const queries = Array.from({ length: queryCount }, () => {
    const document = random.integer(0, count - 1);
    const query = new Float32Array(QUERY_VECTORS * dimension);
    for (let i = 0; i < QUERY_VECTORS; i++) {
      const at = (starts[document] + random.integer(0, lengths[document] - 1)) * dimension;
      query.set(moved(data.subarray(at, at + dimension), QUERY_SPREAD, random), i * dimension);
    }
    return query;
  });
  return { documents: { data, lengths, columns: dimension }, queries };
}

/** The direction of a vector to which one of random direction and about the given length was added. */
function moved(vector, length, random) {
  const scale = length / Math.sqrt(vector.length);
  const sum = vector.map((value) => value + scale * random.normal());
  const norm = Math.hypot(...sum);
  return sum.map((value) => value / norm);
}
