/**
 * A span scorer as a file of tensors (https://github.com/huggingface/safetensors): 8 bytes with the length of the header, little-endian; the
 * header, JSON; the parameters, float32, in their order. The header's metadata hold the format, the scorer's shape and the names of the
 * features, for weights mean nothing for others.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { GranuleError } from '../../errors.js';
import { writeDurably } from '../../files/durable-file.js';
import { CANDIDATE_FEATURES } from '../../generators/extractive/candidate-features.js';
import { NULL_FEATURES } from '../../generators/extractive/read-passage.js';
import { SpanScorer } from './span-scorer.js';
import type { SpanScorerShape } from './span-scorer-shape.js';

const FORMAT = 'granule-span-scorer';
const FEATURES = [...CANDIDATE_FEATURES, ...NULL_FEATURES].join(' ');
/** Where the tensors begin: at a multiple of this. */
const ALIGNMENT = 64;
/** Most bytes of a header that is read. */
const MAX_HEADER_BYTES = 1 << 16;

/**
 * Writes a scorer; after a crash the whole file or what was there before is there. The same scorer gives the same bytes.
 *
 * @param file - by custom with the ending `.safetensors`
 * @throws GranuleError `FILE_NOT_WRITABLE`
 */
export async function writeSpanScorer(file: string, scorer: SpanScorer): Promise<void> {
  const header = Buffer.from(headerOf(scorer));
  const tensors = Object.values(scorer.values).map((values) => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => {
      bytes.writeFloatLE(value, i * 4);
    });
    return bytes;
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  try {
    await writeDurably(file, [length, header, ...tensors]);
  } catch (cause) {
    throw new GranuleError(
      'FILE_NOT_WRITABLE',
      `${file} could not be written: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
}

/**
 * Reads a scorer that `writeSpanScorer` wrote.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `MODEL_INVALID` for a file that is cut off, is none, holds numbers that are not finite, or has
 * weights of other features than this version's
 */
export async function readSpanScorer(file: string): Promise<SpanScorer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new GranuleError(
      'FILE_NOT_FOUND',
      `${file} could not be read: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
  const length = bytes.length < 8 ? 0n : bytes.readBigUInt64LE();
  if (length === 0n || length > MAX_HEADER_BYTES || 8n + length > bytes.length) {
    throw invalid(file, 'has no header of a possible length');
  }
  const text = bytes.toString('utf8', 8, 8 + Number(length));
  const { shape, names } = described(file, text);
  const data = bytes.subarray(8 + Number(length));
  const values: Record<string, Float32Array> = {};
  let at = 0;
  for (const [name, size] of names) {
    if (at + size * 4 > data.length) throw invalid(file, 'is cut off');
    values[name] = Float32Array.from({ length: size }, (_, i) => data.readFloatLE(at + i * 4));
    if (!values[name].every(Number.isFinite))
      throw invalid(file, `has a number in ${name} that is not finite`);
    at += size * 4;
  }
  let scorer: SpanScorer;
  try {
    scorer = SpanScorer.from(shape, values);
  } catch (cause) {
    throw invalid(file, `holds no span scorer: ${(cause as Error).message}`, cause);
  }
  // One text for one content: whatever else differs, such as places that overlap, shows here.
  if (headerOf(scorer) !== text || at !== data.length)
    throw invalid(file, 'does not hold what its header says');
  return scorer;
}

/** Whole, with the spaces that bring the tensors to their place. */
function headerOf(scorer: SpanScorer): string {
  let offset = 0;
  const tensors = [...scorer.parameters].map(([name, { shape, values }]) => {
    const begin = offset;
    offset += values.length * 4;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, offset] }];
  });
  const metadata = { format: FORMAT, version: '1', shape: JSON.stringify(scorer.shape), features: FEATURES };
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(tensors) });
  return text.padEnd(Math.ceil((8 + text.length) / ALIGNMENT) * ALIGNMENT - 8);
}

/** What a header says, as far as it is needed to read the tensors. */
function described(file: string, text: string): { shape: SpanScorerShape; names: [string, number][] } {
  try {
    const { __metadata__: metadata, ...tensors } = JSON.parse(text);
    if (metadata.format !== FORMAT) throw new Error(`its format is ${metadata.format}, not ${FORMAT}`);
    if (metadata.version !== '1') throw new Error(`its version ${metadata.version} is not known here`);
    if (metadata.features !== FEATURES) throw new Error('its weights are those of other features');
    const names = Object.entries(tensors).map(([name, tensor]): [string, number] => {
      const [begin, end] = (tensor as { data_offsets: [number, number] }).data_offsets;
      const size = (end - begin) / 4;
      if (!Number.isSafeInteger(size) || size < 1) throw new Error(`${name} has an impossible size`);
      return [name, size];
    });
    return { shape: JSON.parse(metadata.shape), names };
  } catch (cause) {
    throw invalid(file, `is no span scorer of this version: ${(cause as Error).message}`, cause);
  }
}

function invalid(file: string, what: string, cause?: unknown): GranuleError {
  return new GranuleError('MODEL_INVALID', `${file} ${what}`, { file }, { cause });
}
