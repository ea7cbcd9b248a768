/**
 * How granule takes part; `ours-cpu.mjs` and `ours-cpu-plain.mjs` say with which options.
 */
import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { allVectors, pieces } from '../dataset.mjs';
import { EventLoopWatch } from '../event-loop-watch.mjs';
import { measureMemory } from '../process-memory.mjs';

/** Rows that one add takes; documents are added as whole ones. */
const PIECE_BYTES = 64 * 2 ** 20;
const TEMPERATURE = 0.01;
/** Searches beside the adds while the event loop is watched. */
const WATCHED_SEARCHES = 32;

/** Why this build cannot do a workload, or undefined. */
export function cannotOpen(workload, FlatIndex) {
  if (workload.kind !== 'open' || typeof FlatIndex.open === 'function') return undefined;
  return 'not supported by this build: FlatIndex has no files';
}

/** Memory in copies of the float32 vectors, for an index that takes `index` of them. */
export function memoryCopies({ kind }, index) {
  return kind === 'add' || kind === 'reserved' || kind === 'events' ? 1 + index : index;
}

/** @param options options of the index beside dimension and threads */
export async function openGranule({ workloads, dataset, threads }, options) {
  const { FlatIndex, MultiVectorIndex, topKSoftmax } = await import('../../dist/esm/index.js');
  const settings = { dimension: dataset.dimension, threads, ...options };
  const makeIndex = () => new FlatIndex(settings);
  const [workload] = workloads;
  switch (workload.kind) {
    case 'softmax':
      return ({ k }) => ({
        elementBytes: 4,
        search: (scores) => topKSoftmax(scores, { k, temperature: TEMPERATURE }),
        hits: places(k),
      });
    case 'maxsim': {
      const index = new MultiVectorIndex(settings);
      await addDocuments(index, dataset, workload.patches);
      return searching(index, options);
    }
    case 'add':
      return adding(dataset, makeIndex, false);
    case 'reserved':
      return adding(dataset, makeIndex, true);
    case 'open':
      return opening(dataset, FlatIndex, await filled(makeIndex(), dataset), threads);
    case 'events':
      return watching(dataset, makeIndex);
    case 'memory':
      return fillingOnce(dataset, makeIndex, options.codes === 'none' ? 4 : 5);
    default:
      return searching(await filled(makeIndex(), dataset), options);
  }
}

async function filled(index, dataset) {
  for (const { values } of pieces(dataset, PIECE_BYTES)) await index.add(values);
  return index;
}

async function addDocuments(index, dataset, patches) {
  const documentBytes = patches * dataset.dimension * 4;
  const perPiece = Math.max(1, Math.floor(PIECE_BYTES / documentBytes));
  for (const { values } of pieces(dataset, perPiece * documentBytes)) {
    await index.add(values, new Uint32Array(values.byteLength / documentBytes).fill(patches));
  }
}

function searching(index, { codes }) {
  const scanned =
    codes === 'none' ? { elementBytes: 4, arithmetic: 'f32' } : { elementBytes: 1, arithmetic: 'int8' };
  return ({ kind, k, dimension }) => {
    if (kind === 'survivors') return countingSurvivors(index, dimension, k);
    return {
      ...scanned,
      search: (queries) => index.search(queries, { k }),
      hits: places(k),
      measured: ({ certificate }) => ({ rescoredShare: median(shares([certificate])) }),
    };
  };
}

function places(k) {
  return ({ rows, scores }, query) => ({
    rows: [...rows.subarray(query * k, (query + 1) * k)],
    scores: [...scores.subarray(query * k, (query + 1) * k)],
  });
}

/** One call asks query after query: alone, each has the threshold that it finds by itself. */
function countingSurvivors(index, dimension, k) {
  return {
    elementBytes: 1,
    async search(queries) {
      const found = [];
      for (let start = 0; start < queries.length; start += dimension) {
        found.push(await index.search(queries.subarray(start, start + dimension), { k }));
      }
      return found;
    },
    hits: (found, query) => places(k)(found[query], 0),
    measured(found) {
      const all = shares(found.map(({ certificate }) => certificate));
      return { rescoredShare: median(all), rescoredShareMost: Math.max(...all) };
    },
  };
}

function shares(certificates) {
  return certificates.flatMap(({ rowsRescored, rowsScanned }) =>
    Array.from(rowsRescored, (rows) => rows / rowsScanned),
  );
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** One call fills an empty index; the one before it is freed first, and room reserved, outside of the time. */
function adding(dataset, makeIndex, reserve) {
  const vectors = allVectors(dataset);
  return ({ k }) => {
    let index;
    const reserveSeconds = [];
    return {
      elementBytes: 4,
      async before() {
        index?.dispose();
        index = makeIndex();
        if (!reserve) return;
        const start = performance.now();
        await index.reserve(dataset.rows);
        reserveSeconds.push((performance.now() - start) / 1000);
      },
      search: () => Promise.all(addsOf(index, vectors, dataset)),
      answers: (query) => index.search(query, { k }),
      hits: places(k),
      measured: () => (reserve ? { reserveSeconds: median(reserveSeconds) } : {}),
    };
  };
}

/** Adds of pieces, all asked for at once. */
function addsOf(index, vectors, { dimension, rows }) {
  const rowsPerAdd = Math.max(1, Math.floor(PIECE_BYTES / 4 / dimension));
  const adds = [];
  for (let row = 0; row < rows; row += rowsPerAdd) {
    adds.push(index.add(vectors.subarray(row * dimension, Math.min(rows, row + rowsPerAdd) * dimension)));
  }
  return adds;
}

/** One call fills an empty index and searches it, while the event loop is watched. */
function watching(dataset, makeIndex) {
  const vectors = allVectors(dataset);
  return ({ k }) => {
    const watch = new EventLoopWatch();
    let index;
    return {
      elementBytes: 4,
      async before() {
        index?.dispose();
        index = makeIndex();
        await watch.idle();
        await watch.start();
      },
      async search(query) {
        await Promise.all(addsOf(index, vectors, dataset));
        for (let i = 0; i < WATCHED_SEARCHES; i++) await index.search(query, { k });
        watch.stop();
      },
      answers: (query) => index.search(query, { k }),
      hits: places(k),
      measured: () => watch.figures(),
    };
  };
}

/** One call fills an index; the memory that the process has grown by is compared with what the numbers themselves take. */
function fillingOnce(dataset, makeIndex, bytesPerNumber) {
  const needed = dataset.rows * dataset.dimension * bytesPerNumber;
  return async ({ k }) => {
    const index = makeIndex();
    let measured;
    return {
      elementBytes: 4,
      async search() {
        const source = pieces(dataset, PIECE_BYTES);
        // The first piece, so that the memory they pass through is not counted.
        let piece = source.next().value;
        const grown = await measureMemory(async () => {
          for (; piece !== undefined; piece = source.next().value) await index.add(piece.values);
        });
        measured = {
          indexBytes: index.bytes,
          residentBytes: grown,
          memoryOverhead: Math.max(index.bytes, grown) / needed - 1,
        };
      },
      answers: (query) => index.search(query, { k }),
      hits: places(k),
      measured: () => measured,
    };
  };
}

/** One call opens an index that was saved before, and searches it once. */
async function opening(dataset, FlatIndex, index, threads) {
  // What lies beside the vectors is removed with them, however this process ends.
  const folder = join(mkdtempSync(join(dirname(dataset.vectors), 'granule-')), 'index');
  await index.save(folder);
  index.dispose();
  return ({ k }) => ({
    elementBytes: 4,
    async search(query) {
      const opened = await FlatIndex.open(folder, { mmap: true, threads });
      const hits = await opened.search(query, { k });
      opened.dispose();
      return hits;
    },
    hits: places(k),
  });
}
