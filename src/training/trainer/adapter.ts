import { createHash } from 'node:crypto';
import { hashOfState } from '../../corpus/encoder-records.js';
import { isFittedEncoder } from '../../corpus/fitted-encoder.js';
import type { EncoderIdentity } from '../../encoders/encoder.js';
import { GranuleError } from '../../errors.js';
import { namedParameters } from '../towers/parameter.js';
import { Tower } from '../towers/tower.js';
import { checkTowerShape, type TowerShape, towerTensors } from '../towers/tower-shape.js';
import { LOG_TEMPERATURE } from './retriever-towers.js';
import { type FileTensor, readTensorFile, type TensorFile, writeTensorFile } from './tensor-file.js';

const FORMAT = 'granule-adapter';

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
 * Writes an adapter as one safetensors file: `query.weight`, ..., `document.weight`, ..., `log_temperature`; in its metadata the towers' shapes, the
 * encoder and the training, as JSON, and the SHA-256 of all tensors.
 *
 * @throws GranuleError `FILE_NOT_WRITABLE`
 */
export async function saveAdapter(file: string, adapter: Adapter): Promise<void> {
  const { query, document, encoder, training = {} } = adapter;
  const towers = { query: query.shape, ...(document && { document: document.shape }) };
  const tensors = tensorsOf(adapter);
  tensors.set(LOG_TEMPERATURE, { shape: [1], values: Float32Array.of(Math.log(adapter.temperature)) });
  await writeTensorFile(file, FORMAT, {
    tensors,
    metadata: {
      towers: JSON.stringify(towers),
      encoder: JSON.stringify(encoder),
      training: JSON.stringify(training),
    },
  });
}

/**
 * Reads an adapter that {@link saveAdapter} wrote.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for another file, one that is damaged, or towers that do not fit each other
 */
export async function loadAdapter(file: string): Promise<Adapter> {
  const content = await readTensorFile(file, FORMAT);
  try {
    const towers = JSON.parse(content.metadata['towers']!) as Record<
      'query' | 'document',
      TowerShape | undefined
    >;
    const encoder = JSON.parse(content.metadata['encoder']!) as AdaptedEncoder;
    const query = towerOf('query', towers.query!, content);
    const document = towers.document && towerOf('document', towers.document, content);
    const temperature = Math.exp(content.tensors.get(LOG_TEMPERATURE)!.values[0]!);
    if (query.input !== encoder.dimension || !(temperature > 0 && Number.isFinite(temperature))) {
      throw new Error('its parts do not fit each other');
    }
    const training = JSON.parse(content.metadata['training']!) as Record<string, unknown>;
    return { query, ...(document && { document }), temperature, encoder, training };
  } catch (cause) {
    throw new GranuleError(
      'TRAINING_FILE_INVALID',
      `${file} does not hold the towers of an adapter: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
}

/** The first 12 digits of the SHA-256 of all parameters: what tells an adapter from another. */
export function adapterHash(adapter: Adapter): string {
  const hash = createHash('sha256');
  for (const [name, { values }] of tensorsOf(adapter)) {
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

/** @throws GranuleError `ENCODER_MISMATCH` where an adapter was trained on the vectors of another encoder */
export function requireEncoderOf({ encoder: trained }: Adapter, encoder: EncoderIdentity): void {
  const own = identityOf(encoder);
  const [built, given] = [described(trained), described(own)];
  if (built === given) return;
  throw new GranuleError(
    'ENCODER_MISMATCH',
    `the adapter was trained on the encoder ${built}, and this is ${given}`,
    { built, given },
  );
}

function described({ name, version, dimension, hash }: AdaptedEncoder): string {
  const learned = hash === undefined ? '' : `, learned ${hash.slice(0, 12)}`;
  return `${name} ${version} (dimension ${dimension}${learned})`;
}

function tensorsOf({ query, document }: Adapter): Map<string, FileTensor> {
  return namedParameters(document === undefined ? { query } : { query, document }) as Map<
    string,
    FileTensor & never
  >;
}

function towerOf(side: string, shape: TowerShape, { tensors }: TensorFile): Tower {
  checkTowerShape(shape);
  const values = towerTensors(shape).map(({ name }) => {
    const found = tensors.get(`${side}.${name}`)?.values;
    if (!(found instanceof Float32Array)) throw new Error(`there is no ${side}.${name}`);
    const wrong = found.findIndex((number) => !Number.isFinite(number));
    if (wrong !== -1) throw new Error(`${side}.${name} has ${found[wrong]} at ${wrong}`);
    return [name, found] as const;
  });
  return Tower.from(shape, Object.fromEntries(values));
}
