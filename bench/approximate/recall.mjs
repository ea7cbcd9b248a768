/**
 * What approximate candidates lose and gain against the exact searches: recall among the first 10 and 100, time, memory.
 *
 *     node bench/approximate/recall.mjs [--documents 5000] [--dimension 128] [--queries 50] [--vectors <file.npy>]
 *                                       [--threads 0] [--json <file>]
 *
 * Late interaction searches generated documents of 20 to 60 vectors, with queries of 32. Inverted files search the rows of a
 * file, without those that are the queries (as many, evenly spread); without a file, the vectors of the documents. One query
 * at a time; contenders take turns query by query, so that whatever else the machine does meets all alike.
 */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import {
  IvfIndex,
  MuveraIndex,
  PlaidIndex,
  plaidReach,
  recallAgainst,
  XtrIndex,
} from '../../dist/esm/approximate/index.js';
import { readNpy } from '../../dist/esm/cli/bench/npy-file.js';
import { FlatIndex, MultiVectorIndex } from '../../dist/esm/index.js';
import { rankedLists } from '../../dist/esm/ranking/ranked-list.js';
import { clusteredDocuments } from './clustered-documents.mjs';

const DEPTHS = [10, 100];

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '5000' },
    dimension: { type: 'string', default: '128' },
    queries: { type: 'string', default: '50' },
    vectors: { type: 'string' },
    threads: { type: 'string', default: '0' },
    json: { type: 'string' },
  },
});
const threads = Number(values.threads);
const queryCount = Number(values.queries);
const { documents, queries } = clusteredDocuments(
  Number(values.documents),
  Number(values.dimension),
  queryCount,
);
const report = [await lateInteraction(), await singleVectors()];
for (const part of report) print(part);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);

async function lateInteraction() {
  const index = new MultiVectorIndex({ dimension: documents.columns, metric: 'cosine', threads });
  const exact = await built('MultiVectorIndex', async () => {
    await index.add(documents.data, documents.lengths);
    return index;
  });
  const contenders = [
    { ...exact, search: async (query, k) => rankedLists(await index.search(query, { k }))[0] },
  ];
  for (const bits of [1, 2, 4]) {
    const plaid = await built(`PLAID, ${bits} bits`, () => PlaidIndex.build(documents, { bits, threads }));
    contenders.push({ ...plaid, search: (query, k) => plaid.index.search(query, { k }) });
    if (bits !== 4) continue;
    contenders.push({
      ...plaid,
      name: `${plaid.name}, 4 times as far`,
      search: (query, k) => {
        const { cells, documents: count } = plaidReach(k);
        return plaid.index.search(query, { k, cells: 4 * cells, documents: 4 * count });
      },
    });
  }
  const muvera = await built('MUVERA', () => MuveraIndex.over(index, { threads }));
  for (const candidates of [200, 1000]) {
    contenders.push({
      ...muvera,
      name: `MUVERA, ${candidates} candidates`,
      search: (query, k) => muvera.index.search(query, { k, candidates: Math.max(k, candidates) }),
    });
  }
  const xtr = await built('XTR', () => XtrIndex.build(documents, { metric: 'cosine', threads }));
  for (const tokens of [1000, 10000]) {
    contenders.push({
      ...xtr,
      name: `XTR, ${tokens} vectors`,
      search: (query, k) => xtr.index.search(query, { k, tokens }),
    });
  }
  const vectors = documents.data.length / documents.columns;
  const what = `${documents.lengths.length} documents, ${vectors} vectors of ${documents.columns}`;
  return measured(what, documents.lengths.length, contenders, queries);
}

async function singleVectors() {
  const { what, rows, held } = await rowsAndQueries();
  const index = new FlatIndex({ dimension: rows.columns, metric: 'cosine', threads });
  const exact = await built('FlatIndex', async () => {
    await index.add(rows);
    return index;
  });
  const ivf = await built('IVF', () => IvfIndex.build(rows, { metric: 'cosine', threads }));
  const contenders = [
    { ...exact, search: async (query, k) => rankedLists(await index.search(query, { k }))[0] },
  ];
  for (const probes of [1, 4, 16, 64].filter((count) => count < ivf.index.lists)) {
    contenders.push({
      ...ivf,
      name: `IVF, ${probes} of ${ivf.index.lists} lists`,
      search: async (query, k) => (await ivf.index.search(query, { k, probes }))[0],
    });
  }
  return measured(what, rows.rows, contenders, held);
}

/** The rows to search, and rows that are kept out of them as queries. */
async function rowsAndQueries() {
  const all =
    values.vectors === undefined
      ? { data: documents.data, columns: documents.columns }
      : await readNpy(values.vectors);
  const { data, columns } = all;
  const count = data.length / columns;
  const step = Math.floor(count / queryCount);
  const isQuery = (row) => row % step === 0 && row / step < queryCount;
  const rows = new Float32Array((count - queryCount) * columns);
  const held = [];
  for (let row = 0, place = 0; row < count; row++) {
    const vector = data.subarray(row * columns, (row + 1) * columns);
    if (isQuery(row)) held.push(vector);
    else rows.set(vector, place++ * columns);
  }
  const source = values.vectors === undefined ? 'the vectors of the documents' : basename(values.vectors);
  return {
    what: `${source}: ${count - queryCount} rows of ${columns}`,
    rows: { data: rows, rows: count - queryCount, columns },
    held,
  };
}

async function built(name, make) {
  const start = performance.now();
  const index = await make();
  return { name, index, buildSeconds: (performance.now() - start) / 1000, bytes: index.bytes };
}

/** The first contender is the exact one. */
async function measured(what, rows, contenders, asked) {
  const depths = DEPTHS.filter((k) => k <= rows);
  const tallies = contenders.map(() => depths.map(() => ({ milliseconds: [], recall: 0, scored: 0 })));
  for (const { search } of contenders) await search(asked[0], depths[0]);
  for (const query of asked) {
    for (const [d, k] of depths.entries()) {
      let exact;
      for (const [c, { search }] of contenders.entries()) {
        const start = performance.now();
        const list = await search(query, k);
        const tally = tallies[c][d];
        tally.milliseconds.push(performance.now() - start);
        exact ??= list;
        tally.recall += recallAgainst(exact, list, k) / asked.length;
        tally.scored += (list.rowsScored ?? rows) / asked.length;
      }
    }
  }
  return {
    what,
    queries: asked.length,
    results: contenders.map(({ name, buildSeconds, bytes }, c) => ({
      name,
      buildSeconds,
      bytes,
      searches: depths.map((k, d) => ({
        k,
        recall: tallies[c][d].recall,
        milliseconds: median(tallies[c][d].milliseconds),
        rowsScored: tallies[c][d].scored,
      })),
    })),
  };
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

function print({ what, queries: asked, results }) {
  console.log(`\n${what}; ${asked} queries\n`);
  const depths = results[0].searches.map(({ k }) => k);
  const heads = depths.flatMap((k) => [`recall@${k}`, `ms, k = ${k}`]);
  console.log(`| search | built, s | MiB | ${heads.join(' | ')} |`);
  console.log(`|---|${'---:|'.repeat(2 + heads.length)}`);
  for (const { name, buildSeconds, bytes, searches } of results) {
    const cells = searches.flatMap(({ recall, milliseconds }) => [
      recall.toFixed(3),
      milliseconds.toFixed(2),
    ]);
    console.log(
      `| ${name} | ${buildSeconds.toFixed(1)} | ${(bytes / 2 ** 20).toFixed(1)} | ${cells.join(' | ')} |`,
    );
  }
}
