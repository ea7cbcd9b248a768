/**
 * How granule takes part; `ours-cpu.mjs` and `ours-cpu-plain.mjs` say with which options.
 */
import { mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { allQueries, allVectors, pieces } from '../dataset.mjs';
import { vectorsPerQuery } from '../workloads.mjs';

/** Rows that one add takes; documents are added as whole ones. */
const PIECE_BYTES = 64 * 2 ** 20;
const TEMPERATURE = 0.01;

/** Why this build cannot do a workload, or undefined. */
export function cannotOpen(workload, FlatIndex) {
  if (workload.kind !== 'open' || typeof FlatIndex.open === 'function') return undefined;
  return 'not supported by this build: FlatIndex has no files';
}

/** @param options options of the index beside dimension and threads */
export async function openGranule({ workload, dataset, threads }, options) {
  const { FlatIndex, MultiVectorIndex, topKSoftmax } = await import('../../dist/esm/index.js');
  const settings = { dimension: dataset.dimension, threads, ...options };
  switch (workload.kind) {
    case 'softmax':
      return {
        elementBytes: 4,
        search: (scores) => topKSoftmax(scores, { k: workload.k, temperature: TEMPERATURE }),
        hits: places(workload.k),
      };
    case 'maxsim': {
      const index = new MultiVectorIndex(settings);
      const documentBytes = workload.patches * dataset.dimension * 4;
      for (const { values } of wholeDocuments(dataset, workload.patches, PIECE_BYTES, documentBytes)) {
        const documents = (values.byteLength / documentBytes) | 0;
        await index.add(values, new Uint32Array(documents).fill(workload.patches));
      }
      return searching(index, workload, dataset);
    }
    case 'add':
      return adding(dataset, workload, () => new FlatIndex(settings), false);
    case 'open':
      return opening(dataset, workload, FlatIndex, settings);
    case 'events':
      return adding(dataset, workload, () => new FlatIndex(settings), true);
    default: {
      const index = new FlatIndex(settings);
      for (const { values } of pieces(dataset, PIECE_BYTES)) await index.add(values);
      return searching(index, workload, dataset);
    }
  }
}

function* wholeDocuments(dataset, patches, bytes, documentBytes) {
  const documents = Math.max(1, Math.floor(bytes / documentBytes));
  yield* pieces({ ...dataset }, documents * patches * dataset.dimension * 4);
}

async function searching(index, workload, dataset) {
  const search = (queries) => index.search(queries, { k: workload.k });
  // What was scanned shows in a search: without codes, every row is scored in full.
  const { certificate } = await search(
    allQueries(dataset).subarray(0, vectorsPerQuery(workload) * dataset.dimension),
  );
  const rescoredShare = certificate === undefined ? 1 : certificate.rowsRescored[0] / certificate.rowsScanned;
  const scanned =
    rescoredShare < 1 ? { elementBytes: 1, arithmetic: 'int8' } : { elementBytes: 4, arithmetic: 'f32' };
  return { ...scanned, search, hits: places(workload.k), measured: () => ({ rescoredShare }) };
}

function places(k) {
  return ({ rows, scores }, query) => ({
    rows: [...rows.subarray(query * k, (query + 1) * k)],
    scores: [...scores.subarray(query * k, (query + 1) * k)],
  });
}

/** One call opens an index that was saved before, and searches it once. */
async function opening(dataset, workload, FlatIndex, settings) {
  // What lies beside the vectors is removed with them, however this process ends.
  const folder = mkdtempSync(join(dirname(dataset.vectors), 'granule-'));
  const index = new FlatIndex(settings);
  for (const { values } of pieces(dataset, PIECE_BYTES)) await index.add(values);
  await index.save(join(folder, 'index'));
  index.dispose();
  return {
    elementBytes: 4,
    async search(queries) {
      const opened = await FlatIndex.open(join(folder, 'index'), { mmap: true });
      const hits = await opened.search(queries, { k: workload.k });
      opened.dispose();
      return hits;
    },
    hits: places(workload.k),
  };
}

/** One call fills an empty index; with `watch` it also searches, and the event loop is watched meanwhile. */
function adding(dataset, workload, makeIndex, watch) {
  const vectors = allVectors(dataset);
  const rowsPerAdd = Math.max(1, Math.floor(PIECE_BYTES / 4 / dataset.dimension));
  const delays = monitorEventLoopDelay({ resolution: 1 });
  let index;
  return {
    elementBytes: 4,
    async search(queries) {
      index?.dispose();
      index = makeIndex();
      if (watch) delays.enable();
      const adds = [];
      for (let row = 0; row < dataset.rows; row += rowsPerAdd) {
        const end = Math.min(dataset.rows, row + rowsPerAdd) * dataset.dimension;
        adds.push(index.add(vectors.subarray(row * dataset.dimension, end)));
      }
      await Promise.all(adds);
      if (watch) {
        for (let i = 0; i < 8; i++) await index.search(queries, { k: workload.k });
        delays.disable();
      }
      return index.search(queries, { k: workload.k });
    },
    hits: places(workload.k),
    // A sample is the time between two looks at the clock, which are 1 ms apart when nothing holds the loop.
    measured: () =>
      watch ? { eventLoopDelayP99Seconds: Math.max(0, delays.percentile(99) / 1e9 - 0.001) } : undefined,
  };
}
