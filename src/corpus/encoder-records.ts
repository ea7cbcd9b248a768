import { createHash } from 'node:crypto';
import type { ImageEncoder, TextEncoder } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import type { Connection, SqlValue, Step } from './database/database-thread.js';
import { isFittedEncoder } from './fitted-encoder.js';
import type { Dimensions } from './storage/index-set.js';

/** The encoders of a corpus. */
export interface CorpusEncoders {
  readonly textEncoder: TextEncoder;
  readonly imageEncoder: ImageEncoder;
}

/** What an encoder encodes. */
export type EncoderRole = 'text' | 'image';

/** The encoder that a corpus is built with. */
export interface EncoderRecord {
  readonly role: EncoderRole;
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  /** Numbers of a vector per patch; 0 where there are none. */
  readonly patchDimension: number;
  /** What the encoder learned from the corpus, where it learns and has learned. */
  readonly state: Uint8Array | undefined;
  /** SHA-256 of the state, in hexadecimal. */
  readonly hash: string | undefined;
}

interface EncoderRow {
  readonly role: EncoderRole;
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  readonly patch_dimension: number;
  readonly state: Uint8Array | null;
  readonly hash: string | null;
}

/** Reads the records of both encoders. */
export async function readEncoderRecords(
  connection: Connection,
  file: string,
): Promise<Readonly<Record<EncoderRole, EncoderRecord>>> {
  const rows = await connection.all<EncoderRow>('SELECT * FROM encoders');
  const recordOf = (role: EncoderRole): EncoderRecord => {
    const row = rows.find((candidate) => candidate.role === role);
    if (row === undefined) {
      throw new GranuleError(
        'CORPUS_INVALID',
        `${file} does not say which ${role} encoder it was built with`,
        {
          file,
        },
      );
    }
    const { name, version, dimension, patch_dimension: patchDimension } = row;
    return {
      role,
      name,
      version,
      dimension,
      patchDimension,
      state: row.state ?? undefined,
      hash: row.hash ?? undefined,
    };
  };
  return { text: recordOf('text'), image: recordOf('image') };
}

/** Writes the record of an encoder. */
export function writeEncoderRecord(
  role: EncoderRole,
  encoder: TextEncoder | ImageEncoder,
  state: Uint8Array | undefined,
): Step {
  const { name, version, dimension } = encoder;
  const { spec } = encoder as { readonly spec?: unknown };
  const values: SqlValue[] = [
    role,
    name,
    version,
    state === undefined ? null : hashOfState(state),
    dimension,
    patchDimensionOf(encoder),
    state ?? null,
    spec === undefined ? null : JSON.stringify(spec),
  ];
  return {
    kind: 'run',
    sql: 'INSERT OR REPLACE INTO encoders VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    parameters: values,
  };
}

/** SHA-256 of what an encoder learned, in hexadecimal. */
export function hashOfState(state: Uint8Array): string {
  return createHash('sha256').update(state).digest('hex');
}

/** Numbers of the vectors that encoders give. */
export function dimensionsOf(
  text: Pick<EncoderRecord, 'dimension'>,
  image: Pick<EncoderRecord, 'dimension' | 'patchDimension'>,
): Dimensions {
  return { passages: text.dimension, images: image.dimension, patches: image.patchDimension };
}

/** Numbers of an encoder's vector per patch; 0 where there are none. */
export function patchDimensionOf(encoder: TextEncoder | ImageEncoder): number {
  return 'patchDimension' in encoder ? encoder.patchDimension : 0;
}

/** @throws GranuleError `ENCODER_MISMATCH` where a corpus was not built with this encoder */
export function requireEncoder(
  folder: string,
  record: EncoderRecord,
  encoder: TextEncoder | ImageEncoder,
): void {
  const { name, version, dimension } = encoder;
  const built = described(record);
  const given = described({ name, version, dimension, patchDimension: patchDimensionOf(encoder) });
  if (built === given) return;
  throw new GranuleError(
    'ENCODER_MISMATCH',
    `${folder} was built with the ${record.role} encoder ${built}, not with ${given}`,
    { folder, role: record.role, built, given },
  );
}

/** Gives encoders that learn what they learned from the corpus. */
export function restoreEncoder(record: EncoderRecord, encoder: TextEncoder | ImageEncoder): void {
  if (record.state !== undefined && isFittedEncoder(encoder)) encoder.restore(record.state);
}

function described(
  encoder: Pick<EncoderRecord, 'name' | 'version' | 'dimension' | 'patchDimension'>,
): string {
  const patches = encoder.patchDimension > 0 ? `, patches of ${encoder.patchDimension}` : '';
  return `${encoder.name} ${encoder.version} (dimension ${encoder.dimension}${patches})`;
}
