/**
 * Trains a tower with a checkpoint after every second step, and prints the step of each event.
 *
 *     node train-until-killed.mjs <URL of the package's index.js> <checkpoint> <adapter>
 */
const [packageUrl, file, adapter] = process.argv.slice(2);
const { trainRetriever, saveAdapter } = await import(new URL('training/index.js', packageUrl).href);

const [ROWS, TRAIN, COLUMNS] = [96, 72, 24];
let state = 1;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
const documents = Float32Array.from({ length: ROWS * COLUMNS }, next);
// A query is its document with the numbers in the opposite order.
const queries = documents.map((_, i) => documents[i - (i % COLUMNS) + COLUMNS - 1 - (i % COLUMNS)]);
const judged = (first, end) => ({
  vectors: { data: queries.slice(first * COLUMNS, end * COLUMNS), rows: end - first, columns: COLUMNS },
  positives: Array.from({ length: end - first }, (_, i) => [first + i]),
});

const tower = { kind: 'linear', input: COLUMNS, output: COLUMNS };
const { query, document, temperature, history } = await trainRetriever(
  {
    documents: { data: documents, rows: ROWS, columns: COLUMNS },
    train: judged(0, TRAIN),
    dev: judged(TRAIN, ROWS),
  },
  {
    queryTower: tower,
    documentTower: tower,
    batchSize: 24,
    epochs: 30,
    patience: 1000,
    learningRate: 0.01,
    mineEvery: 3,
    checkpoint: { file, everySteps: 2 },
    onEvent: ({ step }) => process.stdout.write(`${step}\n`),
  },
);
const encoder = { name: 'reversed', version: '1', dimension: COLUMNS };
await saveAdapter(adapter, { query, document, temperature, encoder, training: { history } });
