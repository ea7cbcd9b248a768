import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { allVectors } from '../dataset.mjs';

/** Vectors per batch of the table. */
const BATCH_BYTES = 256 * 2 ** 20;

export default {
  name: 'lancedb',
  package: '@lancedb/lancedb',
  exact: true,
  claimsBits: false,
  proportionalFrom: 1,
  copies: () => 3,
  kinds: ['mips', 'maxsim'],
  // It has more than one pool of threads; what holds them all is the set of cores that the process may use.
  environment: (threads) => ({ LANCE_CPU_THREADS: String(threads), TOKIO_WORKER_THREADS: String(threads) }),
  cores: true,
  async open({ workloads, dataset }) {
    const lancedb = await import('@lancedb/lancedb');
    const arrow = await import('apache-arrow');
    // What lies beside the vectors is removed with them, however this process ends.
    const folder = mkdtempSync(join(dirname(dataset.vectors), 'lancedb-'));
    const connection = await lancedb.connect(folder);
    const { kind, patches = 1 } = workloads[0];
    const { dimension } = dataset;
    const vectors = allVectors(dataset);
    const items = dataset.rows / patches;
    const perBatch = Math.max(1, Math.floor(BATCH_BYTES / 4 / dimension / patches));
    let table;
    for (let first = 0; first < items; first += perBatch) {
      const count = Math.min(perBatch, items - first);
      const values = vectors.subarray(first * patches * dimension, (first + count) * patches * dimension);
      const batch = arrowTable(arrow, {
        first,
        count,
        values,
        dimension,
        patches,
        nested: kind === 'maxsim',
      });
      if (table === undefined) table = await connection.createTable('vectors', batch);
      else await table.add(batch);
    }
    return (workload) => ({
      elementBytes: 4,
      arithmetic: 'f32',
      search: (queries) => find(table, workload, queries, dimension),
      hits: (found, query) => ({
        rows: found.filter((row) => (row.query_index ?? 0) === query).map(({ id }) => Number(id)),
      }),
    });
  },
};

function arrowTable(arrow, { first, count, values, dimension, patches, nested }) {
  const { Field, FixedSizeList, Float32, Int32, List, makeData, RecordBatch, Schema, Struct, Table } = arrow;
  const floats = makeData({ type: new Float32(), data: values });
  const item = new FixedSizeList(dimension, new Field('item', new Float32(), true));
  const rows = makeData({ type: item, length: count * patches, nullCount: 0, child: floats });
  const type = nested ? new List(new Field('item', item, true)) : item;
  const valueOffsets = Int32Array.from({ length: count + 1 }, (_, i) => i * patches);
  const column = nested ? makeData({ type, length: count, nullCount: 0, valueOffsets, child: rows }) : rows;
  const ids = makeData({ type: new Int32(), data: Int32Array.from({ length: count }, (_, i) => first + i) });
  const schema = new Schema([new Field('id', new Int32(), true), new Field('vector', type, true)]);
  const struct = makeData({
    type: new Struct(schema.fields),
    length: count,
    nullCount: 0,
    children: [ids, column],
  });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}

async function find(table, workload, queries, dimension) {
  const [first, ...more] = Array.from({ length: queries.length / dimension }, (_, i) =>
    queries.slice(i * dimension, (i + 1) * dimension),
  );
  // For multi-vectors it has the cosine only, which on unit vectors is the inner product.
  let query = table
    .query()
    .nearestTo(first)
    .distanceType(workload.kind === 'maxsim' ? 'cosine' : 'dot');
  for (const vector of more) query = query.addQueryVector(vector);
  return query.limit(workload.k).select(['id', '_distance']).toArray();
}
