import { createHash } from 'node:crypto';
import { hashOfState } from '../../corpus/encoder-records.js';
import { isFittedEncoder } from '../../corpus/fitted-encoder.js';
import type { EncoderIdentity } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { readTowers, writeTowers } from '../export/tower-file.js';
import { invalidTrainingFile, parseObject } from '../files/tensor-file-header.js';
import { namedParameters } from '../towers/parameter.js';
import type { Tower } from '../towers/tower.js';

/** The encoder whose vectors an adapter maps. */
export interface AdaptedEncoder {
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  /** SHA-256 of what it learned from its corpus, in hexadecimal; absent where it learns nothing. */
  readonly hash?: string | undefined;
}

/** What training gives: towers on top of an encoder. */
export interface Adapter {
  readonly query: Tower;
  /** Where there is one, documents have to be encoded anew. */
  readonly document?: Tower | undefined;
  /** By which scores are divided for probabilities. */
  readonly temperature: number;
  readonly encoder: AdaptedEncoder;
  /** How it was trained, as JSON: options, seed, measures before and after. */
  readonly training?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Writes an adapter as a file of towers ({@link writeTowers}) with its temperature: in the metadata, as JSON, `encoder` and `training`.
 *
 * @throws GranuleError `NOT_FINITE`; `INVALID_ARGUMENT` where `training` makes more than 1 MiB; `FILE_NOT_WRITABLE`
 */
export async function saveAdapter(file: string, adapter: Adapter): Promise<void> {
  const { query, document, temperature, encoder, training = {} } = adapter;
  await writeTowers(file, {
    query,
    document,
    logTemperature: Math.log(temperature),
    metadata: { encoder: JSON.stringify(encoder), training: JSON.stringify(training) },
  });
}

/**
 * Reads an adapter that {@link saveAdapter} wrote.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for another file, one that is damaged, or towers that do not say which encoder's
 * vectors they map
 */
export async function loadAdapter(file: string): Promise<Adapter> {
  const { query, document, logTemperature, metadata } = await readTowers(file);
  if (query === undefined || logTemperature === undefined) {
    throw invalidTrainingFile(
      file,
      `holds towers, and is no adapter: it lacks ${query === undefined ? 'a tower of queries' : 'the temperature'}`,
    );
  }
  const encoder = adaptedEncoder(parseObject(metadata['encoder'], file, "metadata 'encoder'"), file);
  const training = parseObject(metadata['training'], file, "metadata 'training'");
  if (query.input !== encoder.dimension) {
    throw invalidTrainingFile(
      file,
      `has a tower for vectors of ${query.input} numbers, and its encoder gives ${String(encoder.dimension)}`,
    );
  }
  return { query, ...(document && { document }), temperature: Math.exp(logTemperature), encoder, training };
}

function adaptedEncoder(encoder: Readonly<Record<string, unknown>>, file: string): AdaptedEncoder {
  const { name, version, dimension, hash } = encoder;
  const isHash = hash === undefined || typeof hash === 'string';
  if (typeof name !== 'string' || typeof version !== 'string' || typeof dimension !== 'number' || !isHash) {
    throw invalidTrainingFile(file, "has metadata 'encoder' that does not name an encoder");
  }
  return { name, version, dimension, ...(hash !== undefined && { hash }) };
}

/** The first 12 digits of the SHA-256 of all parameters: what tells an adapter from another. */
export function adapterHash({ query, document }: Adapter): string {
  const hash = createHash('sha256');
  for (const [name, { values }] of namedParameters({ query, ...(document && { document }) })) {
    hash.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex').slice(0, 12);
}

/** What identifies an encoder, with what it has learned. */
export function identityOf(encoder: EncoderIdentity): AdaptedEncoder {
  const { name, version, dimension } = encoder;
  const hash = isFittedEncoder(encoder) ? hashOfState(encoder.state()) : undefined;
  return { name, version, dimension, ...(hash !== undefined && { hash }) };
}

/**
 * An encoder that has not learned yet is compared by name, version and dimension.
 *
 * @throws GranuleError `ENCODER_MISMATCH` where an adapter was trained on the vectors of another encoder
 */
export function requireEncoderOf({ encoder: trained }: Adapter, encoder: EncoderIdentity): void {
  const { name, version, dimension } = encoder;
  const own = hasLearned(encoder) ? identityOf(encoder) : { name, version, dimension, hash: trained.hash };
  const [built, given] = [described(trained), described(own)];
  if (built === given) return;
  throw new GranuleError(
    'ENCODER_MISMATCH',
    `the adapter was trained on the encoder ${built}, and this is ${given}`,
    { built, given },
  );
}

/** Whether there is nothing that an encoder still has to learn. */
function hasLearned(encoder: EncoderIdentity): boolean {
  if (!isFittedEncoder(encoder)) return true;
  try {
    encoder.state();
    return true;
  } catch (error) {
    if (error instanceof GranuleError && error.code === 'INVALID_ARGUMENT') return false;
    throw error;
  }
}

function described({ name, version, dimension, hash }: AdaptedEncoder): string {
  const learned = hash === undefined ? '' : `, learned ${hash.slice(0, 12)}`;
  return `${name} ${version} (dimension ${dimension}${learned})`;
}
