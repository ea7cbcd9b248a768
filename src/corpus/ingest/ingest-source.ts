import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GranuleError } from '../../errors.js';
import type { CorpusEncoders } from '../encoder-records.js';
import { readFolder } from '../folder-reader.js';
import type { IngestOptions, Refusal } from '../ingest-report.js';
import { readJsonl, type SourceLine } from '../jsonl-reader.js';
import type { CorpusLine } from '../records.js';
import type { WriteAccess } from '../storage/write-access.js';
import { unreadableFile } from '../unreadable-file.js';
import { encodeBatches, type ReadyEncoders } from './batch-encoder.js';
import { writeLines } from './batch-writer.js';
import { ingestLines, type LinesReport } from './ingest-lines.js';
import { lineBatches } from './line-batches.js';
import { encodePending, fitEncoder } from './pending-encoder.js';
import { pendingCount } from './stored-encoder.js';

/** What `put` did to an entity. */
export type PutOutcome = 'added' | 'replaced' | 'unchanged';

/**
 * Takes all lines of a source.
 *
 * @throws GranuleError `CORPUS_EMPTY` where none could be taken and none was stored before
 */
export async function ingestSource(
  access: WriteAccess,
  source: string | Iterable<CorpusLine> | AsyncIterable<CorpusLine>,
  encoders: CorpusEncoders,
  ready: ReadyEncoders,
  options: IngestOptions,
  afterBatch: () => Promise<void>,
): Promise<LinesReport & { readonly taken: number }> {
  const { lines, imageFolder } =
    typeof source === 'string' ? await fileSource(source) : { lines: numbered(source), imageFolder: '.' };
  const report = await ingestLines(access, lines, imageFolder, encoders, ready, options, afterBatch);
  const taken = report.added + report.replaced + report.unchanged;
  if (taken === 0 && (await access.state()).entities === 0) {
    const { refused } = report;
    throw new GranuleError('CORPUS_EMPTY', `nothing could be taken: ${refused.length} lines refused`, {
      refused: refused.length,
      lines: refused.slice(0, 20).map(({ line, code, message }) => `line ${line}: ${message} [${code}]`),
    });
  }
  return { ...report, taken };
}

/** Takes one line; throws why where it cannot. */
export async function putLine(
  access: WriteAccess,
  line: CorpusLine,
  encoders: CorpusEncoders,
  ready: ReadyEncoders,
  signal: AbortSignal | undefined,
): Promise<PutOutcome> {
  const batches = lineBatches(numbered([line]), '.', signal);
  for await (const batch of encodeBatches(access, batches, encoders, ready, signal)) {
    const written = await writeLines(access, batch.lines);
    const [refused] = [...batch.refused, ...written.refused];
    if (refused !== undefined) throw refused.error;
    if (written.replaced > 0) return 'replaced';
    if (written.added > 0) return 'added';
  }
  return 'unchanged';
}

/** Fits encoders that have not learned yet where something waits for them, and encodes what waits. */
export async function encodeWaiting(
  access: WriteAccess,
  encoders: CorpusEncoders,
  ready: ReadyEncoders,
  options: IngestOptions,
  afterBatch: () => Promise<void>,
): Promise<Refusal[]> {
  const texts = (await pendingCount(access, 'passages')) > 0;
  const images = (await pendingCount(access, 'images')) > 0;
  if (texts && !ready.text) await fitEncoder(access, 'text', encoders.textEncoder);
  if (images && !ready.image) await fitEncoder(access, 'image', encoders.imageEncoder);
  if (!texts && !images) return [];
  const unencoded = await encodePending(access, encoders, options, afterBatch);
  return unencoded.map(({ file, error }) => {
    const refusal = { line: 0, code: error.code, message: `${file}: ${error.message}` };
    options.onRefused?.(refusal);
    return refusal;
  });
}

async function fileSource(path: string): Promise<{ lines: AsyncIterable<SourceLine>; imageFolder: string }> {
  const status = await stat(path).catch(unreadableFile(path));
  if (!status.isDirectory()) return { lines: readJsonl(path), imageFolder: dirname(path) };
  const jsonl = join(path, 'corpus.jsonl');
  const hasJsonl = await stat(jsonl).then(
    (file) => file.isFile(),
    () => false,
  );
  return { lines: hasJsonl ? readJsonl(jsonl) : readFolder(path), imageFolder: path };
}

async function* numbered(
  lines: Iterable<CorpusLine> | AsyncIterable<CorpusLine>,
): AsyncGenerator<SourceLine> {
  let line = 0;
  for await (const value of lines) {
    line += 1;
    yield { line, value };
  }
}
