import type { CorpusEncoders } from '../encoder-records.js';
import type { IngestOptions, Refusal } from '../ingest-report.js';
import type { SourceLine } from '../jsonl-reader.js';
import type { WriteAccess } from '../storage/write-access.js';
import { ahead } from './ahead.js';
import { encodeBatches, type ReadyEncoders } from './batch-encoder.js';
import { writeLines } from './batch-writer.js';
import { lineBatches } from './line-batches.js';
import type { RefusedLine } from './prepared-line.js';
import { StageProgress } from './stage-progress.js';

/** What became of the lines of a source. */
export interface LinesReport {
  readonly added: number;
  readonly replaced: number;
  readonly unchanged: number;
  readonly refused: readonly Refusal[];
}

/** Batches that may wait between reading and encoding, and between encoding and writing. */
const BATCHES_AHEAD = 1;

/**
 * Takes the lines of a source: while one batch is written, the next is encoded, and the one after that is read.
 *
 * @param afterBatch - runs after each commit
 */
export async function ingestLines(
  access: WriteAccess,
  source: AsyncIterable<SourceLine>,
  imageFolder: string,
  encoders: CorpusEncoders,
  ready: ReadyEncoders,
  { signal, onProgress, onRefused }: IngestOptions,
  afterBatch: () => Promise<void>,
): Promise<LinesReport> {
  const refused: Refusal[] = [];
  const refuse = ({ line, id, error }: RefusedLine) => {
    const refusal = { line, ...(id !== undefined && { id }), code: error.code, message: error.message };
    refused.push(refusal);
    onRefused?.(refusal);
  };
  const sum = { added: 0, replaced: 0, unchanged: 0 };
  const progress = new StageProgress('lines', onProgress);
  const batches = ahead(lineBatches(source, imageFolder, signal), BATCHES_AHEAD);
  const encoded = ahead(encodeBatches(access, batches, encoders, ready, signal), BATCHES_AHEAD);
  for await (const batch of encoded) {
    const written = await writeLines(access, batch.lines);
    sum.added += written.added;
    sum.replaced += written.replaced;
    sum.unchanged += batch.unchanged.length;
    for (const line of [...batch.refused, ...written.refused]) refuse(line);
    await afterBatch();
    progress.report(batch.done, batch.fraction);
  }
  return { ...sum, refused: refused.toSorted((a, b) => a.line - b.line) };
}
