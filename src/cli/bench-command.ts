import { freemem } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { GranuleError } from '../errors.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Hits } from '../index/hits.js';
import { runtimeInfo } from '../native/runtime-info.js';
import { type Matrix, matrix, matrixRow } from '../vectors/matrix.js';
import { readNpy } from './bench/npy-file.js';
import { type PlainHits, plainScan } from './bench/plain-scan.js';
import { measureRoofline, type Roofline, rooflineProgram } from './bench/roofline.js';
import { SeededVectors } from './bench/seeded-vectors.js';
import type { CommandContext } from './command-context.js';
import { wholeNumber } from './option-values.js';

interface BenchOptions {
  readonly vectors?: string;
  readonly queries?: string;
  readonly rows?: number;
  readonly dimension?: number;
  readonly k: number;
  readonly threads: number;
  readonly json?: true;
}

/** One line of the table: a way to search, with so many queries at once. */
interface BenchResult {
  readonly contender: 'granule' | 'plain-js';
  readonly batch: number;
  readonly medianSeconds: number;
  readonly queriesPerSecond: number;
  /** Bytes of float32 vectors searched a second, whatever was read to that end. */
  readonly vectorBytesPerSecond: number;
  /** Whether rows and scores equal those of plain-js, bit for bit. */
  readonly bitEqual: boolean;
}

const GENERATED_ROWS = 20_000;
const GENERATED_DIMENSION = 384;
const GENERATED_QUERIES = 32;
const SEED = 1;
/** A way to search is timed until it took this many milliseconds, and three times at least. */
const BUDGET = 500;
const LEAST_CALLS = 3;
/** A first call that took more seconds than this is not repeated. */
const LONG_CALL = 2;

/** `granule bench`: how fast this machine searches, on the user's own vectors or on generated ones. */
export function addBenchCommand(program: Command, context: CommandContext): void {
  program
    .command('bench')
    .description('measure search on this machine, on your own vectors or on generated ones')
    .option('--vectors <file>', 'your vectors: .npy, float32 or float16, one per row')
    .option('--queries <file>', 'your queries: .npy (default: some of the vectors)')
    .option('--rows <n>', `vectors to generate (default: ${GENERATED_ROWS})`, wholeNumber(1))
    .option(
      '--dimension <n>',
      `numbers per generated vector (default: ${GENERATED_DIMENSION})`,
      wholeNumber(1),
    )
    .option('--k <n>', 'places per query', wholeNumber(1), 10)
    .option('--threads <n>', 'most threads to use; 0 is one per core', threadCount, 0)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Compares granule with the same search written in JavaScript, whose scores and order it must equal
bit for bit. Where a clone has built granule_roofline, also says what the machine could do at most.

Example:
  $ granule bench --vectors embeddings.npy --queries questions.npy --k 20`,
    )
    .action((options: BenchOptions) => bench(options, context));
}

function threadCount(value: string): number {
  const threads = wholeNumber(0)(value);
  if (threads > 1024) throw new InvalidArgumentError('It must be at most 1024.');
  return threads;
}

async function bench(options: BenchOptions, context: CommandContext): Promise<void> {
  const { vectors, queries, source } = await material(options);
  const { k } = options;
  if (k > vectors.rows) {
    throw new GranuleError('K_OUT_OF_RANGE', `--k is ${k}, but there are ${vectors.rows} vectors`, {
      k,
      rows: vectors.rows,
    });
  }
  using index = new FlatIndex({ dimension: vectors.columns, threads: options.threads });
  const { seconds: addSeconds } = await timed(() => add(index, vectors, options.vectors, context.signal));
  const results: BenchResult[] = [];
  for (const batch of queries.rows === 1 ? [1] : [1, queries.rows]) {
    results.push(...(await compare({ index, vectors, queries, k, batch }, context)));
  }
  const roofline = await measuredRoofline(options.threads);
  const report = {
    source,
    rows: vectors.rows,
    dimension: vectors.columns,
    queries: queries.rows,
    k,
    threads: options.threads === 0 ? runtimeInfo().threads : options.threads,
    isa: runtimeInfo().isa,
    addSeconds,
    results,
    roofline,
  };
  context.print(options.json ? JSON.stringify(report) : table(report));
}

async function material(
  options: BenchOptions,
): Promise<{ vectors: Matrix; queries: Matrix; source: string }> {
  if (options.vectors === undefined) {
    if (options.queries !== undefined) {
      throw new GranuleError('USAGE', '--queries needs --vectors');
    }
    const { rows = GENERATED_ROWS, dimension = GENERATED_DIMENSION } = options;
    const vectors = floats(rows * dimension);
    const queries = floats(GENERATED_QUERIES * dimension);
    const seeded = new SeededVectors(dimension, SEED);
    seeded.fill(vectors);
    seeded.fill(queries);
    return {
      vectors: matrix(vectors, dimension),
      queries: matrix(queries, dimension),
      source: 'generated unit vectors',
    };
  }
  if (options.rows !== undefined || options.dimension !== undefined) {
    throw new GranuleError('USAGE', '--rows and --dimension are of generated vectors: not with --vectors');
  }
  const vectors = await readNpy(options.vectors);
  const queries = options.queries === undefined ? someRows(vectors) : await readNpy(options.queries);
  if (queries.columns !== vectors.columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${options.queries} has ${queries.columns} columns, but ${options.vectors} has ${vectors.columns}`,
      { queries: queries.columns, vectors: vectors.columns },
    );
  }
  if (options.queries !== undefined) checkFinite(queries, options.queries);
  return { vectors, queries, source: options.vectors };
}

/** A search would number the queries of its own call only. */
function checkFinite({ data, columns }: Matrix, file: string): void {
  const place = data.findIndex((value) => !Number.isFinite(value));
  if (place === -1) return;
  const [row, column] = [Math.floor(place / columns), place % columns];
  throw new GranuleError('NOT_FINITE', `${file}: row ${row}, column ${column} is ${data[place]}`, {
    file,
    row,
    column,
  });
}

/** @throws GranuleError `OUT_OF_MEMORY` */
function floats(length: number): Float32Array {
  // A generator of vectors in JavaScript would take minutes for what the memory may not even hold.
  if (length * 4 <= freemem()) return new Float32Array(length);
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new GranuleError(
    'OUT_OF_MEMORY',
    `the vectors would take ${gigabytes(length * 4)} GB, and ${gigabytes(freemem())} GB are free`,
  );
}

/** Adds the vectors; where one of their numbers is refused, the error names the file as well. */
async function add(
  index: FlatIndex,
  vectors: Matrix,
  file: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await index.add(vectors, { signal });
  } catch (error) {
    if (file === undefined || !(error instanceof GranuleError) || error.code !== 'NOT_FINITE') throw error;
    throw new GranuleError(error.code, `${file}: ${error.message}`, { ...error.details, file });
  }
}

/** Rows at even distances, as queries. */
function someRows(vectors: Matrix): Matrix {
  const count = Math.min(GENERATED_QUERIES, vectors.rows);
  const data = new Float32Array(count * vectors.columns);
  for (let i = 0; i < count; i++) {
    data.set(matrixRow(vectors, Math.floor((i * vectors.rows) / count)), i * vectors.columns);
  }
  return matrix(data, vectors.columns);
}

interface Comparison {
  readonly index: FlatIndex;
  readonly vectors: Matrix;
  readonly queries: Matrix;
  readonly k: number;
  readonly batch: number;
}

async function compare(comparison: Comparison, context: CommandContext): Promise<BenchResult[]> {
  const { index, vectors, queries, k, batch } = comparison;
  const dimension = vectors.columns;
  const part = (call: number) => {
    const first = batch === 1 ? call % queries.rows : 0;
    return queries.data.subarray(first * dimension, (first + batch) * dimension);
  };
  const { signal } = context;
  const granule = await medianOf(
    (call) => index.search(part(call), { k, signal }),
    () => signal.throwIfAborted(),
  );
  context.progress.update(`plain JavaScript, ${batch} at once`, 0);
  const plain = await medianOf(
    (call) => plainScan(vectors.data, part(call), dimension, k),
    () => signal.throwIfAborted(),
  );
  const bitEqual = sameBits(granule.first, plain.first);
  const line = (contender: BenchResult['contender'], medianSeconds: number): BenchResult => ({
    contender,
    batch,
    medianSeconds,
    queriesPerSecond: batch / medianSeconds,
    vectorBytesPerSecond: (vectors.data.byteLength * batch) / medianSeconds,
    bitEqual,
  });
  return [line('granule', granule.seconds), line('plain-js', plain.seconds)];
}

/** Median seconds of a call, and what the first one returned. */
async function medianOf<T>(
  call: (number: number) => T | Promise<T>,
  checkAborted: () => void,
): Promise<{ seconds: number; first: T }> {
  const { seconds, value: first } = await timed(() => call(0));
  if (seconds > LONG_CALL) return { seconds, first };
  const times: number[] = [];
  const start = performance.now();
  while (times.length < LEAST_CALLS || performance.now() - start < BUDGET) {
    checkAborted();
    times.push((await timed(() => call(times.length + 1))).seconds);
  }
  times.sort((a, b) => a - b);
  return { seconds: times[times.length >> 1]!, first };
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ seconds: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { seconds: (performance.now() - start) / 1000, value };
}

function sameBits(hits: Hits, plain: PlainHits): boolean {
  const bits = (scores: Float32Array) => Buffer.from(scores.buffer, scores.byteOffset, scores.byteLength);
  return hits.rows.every((row, i) => row === plain.rows[i]) && bits(hits.scores).equals(bits(plain.scores));
}

function timesAsFast(results: readonly BenchResult[]): string[] {
  return results
    .filter(({ contender }) => contender === 'granule')
    .map(({ batch, medianSeconds }) => {
      const plain = results.find((result) => result.contender === 'plain-js' && result.batch === batch)!;
      const times = (plain.medianSeconds / medianSeconds).toFixed(1);
      return `${batch} at once: granule is ${times} times as fast as plain JavaScript`;
    });
}

async function measuredRoofline(threads: number): Promise<Roofline | null> {
  const program = rooflineProgram();
  if (program === undefined) return null;
  return measureRoofline(program, threads === 0 ? runtimeInfo().threads : threads);
}

function table(report: {
  source: string;
  rows: number;
  dimension: number;
  k: number;
  threads: number;
  isa: string;
  addSeconds: number;
  results: readonly BenchResult[];
  roofline: Roofline | null;
}): string {
  const { roofline } = report;
  const giga = (value: number) => (value / 1e9).toFixed(1);
  return [
    `${report.source}: ${report.rows} x ${report.dimension}, k ${report.k}, ${report.threads} threads, ${report.isa}`,
    `added in ${report.addSeconds.toFixed(3)} s`,
    '',
    'queries at once  contender     median ms    queries/s  GB/s of vectors',
    ...report.results.map((result) =>
      [
        String(result.batch).padStart(15),
        ` ${result.contender.padEnd(9)}`,
        (result.medianSeconds * 1000).toFixed(3).padStart(13),
        result.queriesPerSecond.toFixed(1).padStart(12),
        giga(result.vectorBytesPerSecond).padStart(16),
      ].join(' '),
    ),
    '',
    ...timesAsFast(report.results),
    report.results.every(({ bitEqual }) => bitEqual)
      ? 'rows and scores are equal, bit for bit'
      : 'ROWS OR SCORES DIFFER between granule and plain-js: please report this',
    roofline === null
      ? 'what the machine could do at most is not known: granule_roofline was not built here'
      : `the machine at most: reads ${giga(roofline.readBytesPerSecond)} GB/s, float32 ${giga(roofline.f32OperationsPerSecond)} and int8 ${giga(roofline.int8OperationsPerSecond)} G operations/s (${roofline.isa})`,
  ].join('\n');
}
