/**
 * The Cranfield collection: 1,400 abstracts, 225 queries, and vectors of the abstracts (all-MiniLM-L6-v2) but none of the queries. So
 * what is dense is searched by example: a relevant abstract stands for the query, for every method alike.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTrecQrels } from '../../../dist/esm/evaluation/index.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { passageSources } from '../../../dist/esm/pipeline/index.js';
import { MemoryPassageStore } from '../../../dist/esm/retrievers/memory-passage-store.js';
import { analyzer } from '../../../dist/esm/text/index.js';
import { once } from './once.mjs';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const folder = join(root, '..', 'shared', 'data', 'cranfield');

const MEASURES = ['map', 'P_10', 'ndcg_cut_10'];

/** Why the collection's tasks cannot be run here, if they cannot. */
export function cranfieldIsMissing() {
  return existsSync(join(folder, 'corpus.jsonl'))
    ? undefined
    : '../shared/data/cranfield is absent: it is no part of the project';
}

/** The collection's own queries. In `dense` they are zeros: only feedback gives them a direction. */
export async function cranfieldTask() {
  const { sources, ids, queries, qrels, dimension } = await collection();
  const dense = { ...sources.dense.text, encode: async () => new Float32Array(dimension) };
  return {
    measures: MEASURES,
    sources: { ...sources, dense: { abstracts: dense } },
    ids,
    queries,
    qrels: { passage: qrels },
  };
}

/**
 * Each query with an example: the relevant abstract with the lowest number. Its vector stands for the query in `dense`, and its text in
 * `sparse.example`; the other sparse sources search for the query's own text. No method may find the example, and it does not count as
 * relevant. Queries with one relevant abstract are left out; every fourth of the others is fitted on.
 */
export async function cranfieldByExampleTask() {
  const { sources, ids, queries, qrels, vectorOf, textOf } = await collection();
  const topics = queries.flatMap(({ id, query }) => {
    const relevant = [...qrels.get(id)].filter(([, grade]) => grade > 0).map(([document]) => document);
    if (relevant.length < 2) return [];
    const [example, ...others] = relevant.sort((a, b) => Number(a) - Number(b));
    return [
      {
        id,
        query: { ...query, example },
        filter: { document: { ne: example } },
        relevant: new Map(others.map((document) => [document, 1])),
      },
    ];
  });
  const split = (kept) => ({
    queries: kept,
    qrels: { passage: new Map(kept.map(({ id, relevant }) => [id, relevant])) },
  });
  const { stemmed } = sources.sparse;
  const byText = {
    level: stemmed.level,
    search: ({ example }, options) => stemmed.search({ text: textOf(example) }, options),
  };
  const byVector = { ...sources.dense.text, encode: async ({ example }) => vectorOf(example) };
  return {
    measures: MEASURES,
    sources: {
      ...sources,
      dense: { example: byVector },
      sparse: { ...sources.sparse, example: byText },
    },
    ids,
    ...split(topics.filter((_, place) => place % 4 !== 3)),
    validation: split(topics.filter((_, place) => place % 4 === 3)),
  };
}

const collection = once(async () => {
  const documents = lines('corpus.jsonl');
  const vectors = readVectors('minilm384_doc_embeddings.npy');
  const index = new FlatIndex({ dimension: vectors.columns });
  await index.add(vectors);
  const texts = documents.map(({ title, text }) => `${title} ${text}`);
  const store = new MemoryPassageStore({
    index,
    passages: documents.map(({ id }, row) => ({ id, entityId: id, text: texts[row] })),
    metadata: documents.map(({ id }) => ({ document: id })),
  });
  const bm25 = (options) => passageSources(store, { bm25: { k1: 1.2, b: 0.75, ...options } }).sparse.text;
  const rowOf = new Map(documents.map(({ id }, row) => [id, row]));
  return {
    dimension: vectors.columns,
    textOf: (id) => texts[rowOf.get(id)],
    sources: {
      ...passageSources(store, {}),
      sparse: {
        plain: bm25({ analyzer: analyzer({ stopWords: false, stemming: false }) }),
        stemmed: bm25({}),
      },
    },
    ids: { passage: documents.map(({ id }) => id) },
    queries: lines('queries.seq-ids.jsonl').map(({ _id, text }) => ({ id: _id, query: { text } })),
    qrels: await readTrecQrels(join(folder, 'cranqrel.trec.txt')),
    vectorOf(id) {
      const first = rowOf.get(id) * vectors.columns;
      return vectors.data.slice(first, first + vectors.columns);
    },
  };
});

function lines(file) {
  return readFileSync(join(folder, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** NumPy's format 1.0, little-endian float32, rows x columns. */
function readVectors(file) {
  const bytes = readFileSync(join(folder, file));
  const length = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + length);
  const [, rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(header) ?? [];
  if (!header.includes("'<f4'") || rows === undefined)
    throw new Error(`${file} holds no float32 matrix: ${header}`);
  const data = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + 10 + length, bytes.byteOffset + bytes.length),
  );
  return { data, rows: Number(rows), columns: Number(columns) };
}
