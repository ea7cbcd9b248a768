import { createRequire } from 'node:module';
import { pieces } from '../dataset.mjs';

export default {
  name: 'sqlite-vec',
  package: 'sqlite-vec',
  exact: true,
  claimsBits: false,
  copies: () => 1.2,
  kinds: ['mips'],
  refuses({ workload, threads }) {
    if (threads > 1) return 'runs on one thread';
    return workload.batch > 1 ? 'takes one query at a time' : undefined;
  },
  async open({ dataset }) {
    const { getLoadablePath } = await import('sqlite-vec');
    const Database = createRequire(import.meta.url)('libsql');
    const { dimension } = dataset;
    const database = new Database(':memory:');
    database.loadExtension(getLoadablePath());
    database.exec(`CREATE VIRTUAL TABLE vectors USING vec0(vector float[${dimension}])`);
    const insert = database.prepare('INSERT INTO vectors(rowid, vector) VALUES (?, ?)');
    for (const { firstRow, values } of pieces(dataset)) {
      database.exec('BEGIN');
      for (let row = 0; row < values.length / dimension; row++) {
        insert.run(BigInt(firstRow + row), bytes(values.subarray(row * dimension, (row + 1) * dimension)));
      }
      database.exec('COMMIT');
    }
    // Its metrics are distances; on unit vectors the Euclidean one orders as the inner product does.
    const select = database.prepare(
      'SELECT rowid FROM vectors WHERE vector MATCH ? AND k = ? ORDER BY distance',
    );
    return ({ k }) => ({
      elementBytes: 4,
      arithmetic: 'f32',
      search: (query) => select.all(bytes(query), k),
      hits: (found) => ({ rows: found.map(({ rowid }) => Number(rowid)) }),
    });
  },
};

function bytes(values) {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
