/**
 * The program of a database thread, as CommonJS source; it is a string for the reasons that `onnx-worker-source.ts` gives.
 * It knows nothing of corpora: it runs SQL on connections that have numbers.
 *
 * `workerData`: `{ library, gate }`. Messages in: `{ id, connection, open: path }`, `{ id, connection, steps }` or `'end'`.
 * A step is `{ kind, sql, parameters }`, and its result is
 *
 * - `exec`: nothing; `sql` may hold several statements
 * - `all`: the rows, as objects; blobs as Uint8Array
 * - `run`: how many rows were changed
 * - `many`: as `run` once per list in `parameters`; the sum
 * - `bits`: the numbers of a query's column `row`, as a bitset of `bytes` bytes: row r is bit r & 7 of byte r >> 3
 *
 * Messages out: `{ id, results }`, or `{ id, error: { message, code } }` where a step failed; those after it were not run.
 * Statements are always run to their end: one that is left open keeps its transaction open.
 *
 * `gate[0]` is as in `exit-gate.ts`: to stop a thread inside of the library aborts the process.
 */
export const DATABASE_THREAD_SOURCE = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { createRequire } = require('node:module');
const { library, gate } = workerData;
const MOST_STATEMENTS = 200;
const BUSY_MILLISECONDS = 20000;

const enter = () => Atomics.compareExchange(gate, 0, 0, 1) === 0;
const leave = () => {
  Atomics.store(gate, 0, 0);
  Atomics.notify(gate, 0);
};

let Database;
const connections = new Map();

function open(number, path) {
  Database = Database || createRequire(library)(library);
  connections.set(number, { database: new Database(path, { timeout: BUSY_MILLISECONDS }), statements: new Map() });
}

function prepared({ database, statements }, sql) {
  let statement = statements.get(sql);
  if (statement === undefined) {
    if (statements.size === MOST_STATEMENTS) statements.clear();
    statement = database.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}

/** Blobs come as buffers without a type. */
function typed(rows) {
  for (const record of rows) {
    for (const name in record) if (record[name] instanceof ArrayBuffer) record[name] = new Uint8Array(record[name]);
  }
  return rows;
}

/** One text of all numbers: an object per row would take ten times as long. */
function bitsOf(connection, sql, parameters, bytes) {
  const [{ rows }] = prepared(connection, 'SELECT json_group_array(row) AS rows FROM (' + sql + ')').all(parameters);
  const bits = new Uint8Array(bytes);
  for (const row of JSON.parse(rows)) if (row >> 3 < bytes) bits[row >> 3] |= 1 << (row & 7);
  return bits;
}

function run(connection, { kind, sql, parameters, bytes }) {
  if (kind === 'exec') return void connection.database.exec(sql);
  if (kind === 'bits') return bitsOf(connection, sql, parameters, bytes);
  const statement = prepared(connection, sql);
  if (kind === 'all') return typed(statement.all(parameters));
  if (kind === 'run') return statement.run(parameters).changes;
  let changes = 0;
  for (const list of parameters) changes += statement.run(list).changes;
  return changes;
}

parentPort.on('message', (message) => {
  if (!enter()) return;
  let reply;
  try {
    if (message === 'end') {
      for (const { database } of connections.values()) if (database.inTransaction) database.exec('ROLLBACK');
      parentPort.close();
    } else if (message.open !== undefined) {
      open(message.connection, message.open);
      reply = { id: message.id, results: [] };
    } else {
      const connection = connections.get(message.connection);
      reply = { id: message.id, results: message.steps.map((step) => run(connection, step)) };
    }
  } catch (error) {
    reply = { id: message.id, error: { message: String((error && error.message) || error), code: error && error.code } };
  } finally {
    leave();
  }
  if (reply !== undefined) parentPort.postMessage(reply);
});
`;
