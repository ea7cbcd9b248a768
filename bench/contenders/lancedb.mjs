import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allVectors } from '../dataset.mjs';

/** Vectors per batch of the table. */
const BATCH_BYTES = 256 * 2 ** 20;

export default {
  name: 'lancedb',
  package: '@lancedb/lancedb',
  claimsBits: false,
  copies: 3,
  refuses({ workload }) {
    if (workload.kind !== 'mips' && workload.kind !== 'maxsim') return 'has no such operation';
    return undefined;
  },
  // It has more than one pool of threads; what holds them all is the set of cores that the process may use.
  environment: (threads) => ({ LANCE_CPU_THREADS: String(threads), TOKIO_WORKER_THREADS: String(threads) }),
  cores: true,
  async open({ workload, dataset }) {
    const lancedb = await import('@lancedb/lancedb');
    const arrow = await import('apache-arrow');
    const folder = mkdtempSync(join(tmpdir(), 'granule-bench-lance-'));
    const connection = await lancedb.connect(folder);
    const patches = workload.patches ?? 1;
    const { dimension } = dataset;
    const vectors = allVectors(dataset);
    const items = dataset.rows / patches;
    const perBatch = Math.max(1, Math.floor(BATCH_BYTES / 4 / dimension / patches));
    let table;
    for (let first = 0; first < items; first += perBatch) {
      const count = Math.min(perBatch, items - first);
      const values = vectors.subarray(first * patches * dimension, (first + count) * patches * dimension);
      const batch = arrowTable(arrow, { first, count, values, dimension, patches, nested: workload.kind === 'maxsim' });
      if (table === undefined) table = await connection.createTable('vectors', batch);
      else await table.add(batch);
    }
    return {
      elementBytes: 4,
      arithmetic: 'f32',
      search: (queries) => find(table, workload, queries, dimension),
      hits: (found, query) => ({
        rows: found.filter((row) => (row.query_index ?? 0) === query).map(({ id }) => Number(id)),
      }),
      close: () => rmSync(folder, { recursive: true, force: true }),
    };
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
  const struct = makeData({ type: new Struct(schema.fields), length: count, nullCount: 0, children: [ids, column] });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}

async function find(table, workload, queries, dimension) {
  const list = Array.from({ length: queries.length / dimension }, (_, i) =>
    queries.slice(i * dimension, (i + 1) * dimension),
  );
  if (workload.kind === 'maxsim') {
    // On unit vectors, its cosine is the inner product.
    const query = table.query().nearestTo(list.map((vector) => Array.from(vector))).distanceType('cosine');
    return query.limit(workload.k).select(['id', '_distance']).toArray();
  }
  let query = table.query().nearestTo(list[0]).distanceType('dot');
  for (const vector of list.slice(1)) query = query.addQueryVector(vector);
  const columns = list.length > 1 ? ['id', '_distance', 'query_index'] : ['id', '_distance'];
  return query.limit(workload.k).select(columns).toArray();
}
