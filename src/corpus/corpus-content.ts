import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ImageEncoder, Quads, TextEncoder } from '../encoders/encoder.js';
import { GranuleError } from '../errors.js';
import type { RaggedMatrix } from '../vectors/matrix.js';
import type { CorpusEncoders } from './corpus-builder.js';
import { CorpusDatabase, type EncoderRecord, type VectorFile } from './corpus-database.js';
import { isFittedEncoder } from './fitted-encoder.js';
import type { Entity, Passage } from './records.js';
import { VectorStore } from './vector-store.js';

/** All that a corpus folder holds, in memory. */
export interface CorpusContent {
  readonly entities: readonly Entity[];
  readonly picturedEntities: readonly Entity[];
  readonly entityById: ReadonlyMap<string, Entity>;
  readonly passages: readonly Passage[];
  /** pictured entities x dimension. */
  readonly entityVectors: Float32Array;
  readonly patches: { readonly vectors: RaggedMatrix; readonly quads: Quads } | undefined;
  /** passages x dimension. */
  readonly passageVectors: Float32Array;
}

/** Rows that are read between two turns of the event loop. */
const ROWS_PER_TURN = 500;

/**
 * Reads a corpus folder and gives fitted encoders their state back.
 *
 * @throws GranuleError `CORPUS_INVALID` or `ENCODER_MISMATCH`
 */
export async function loadCorpus(
  folder: string,
  { textEncoder, imageEncoder }: CorpusEncoders,
): Promise<CorpusContent> {
  const database = await CorpusDatabase.open(folder);
  try {
    const records = database.encoders();
    requireEncoder(folder, records, 'text', textEncoder);
    requireEncoder(folder, records, 'image', imageEncoder);

    const entities: Entity[] = [];
    await inTurns(database.entities(), ({ row: _, image, ...entity }) => {
      entities.push({ ...entity, ...(image !== undefined && { image: join(folder, image) }) });
    });
    const passages: Passage[] = [];
    await inTurns(database.passages(), (passage) => passages.push(passage));
    const picturedEntities = entities.filter(({ image }) => image !== undefined);

    const files = database.vectorFiles();
    const store = new VectorStore(folder);
    const ofImages = await store.read(vectorFile(folder, files, 'entities'));
    const ofPassages = await store.read(vectorFile(folder, files, 'passages'));
    const images = picturedEntities.length;
    let patches: CorpusContent['patches'];
    if (imageEncoder.patchDimension > 0) {
      const lengths = store.counts(ofImages, 'patch_lengths', images);
      const total = lengths.reduce((sum, n) => sum + n, 0);
      const data = store.floats(ofImages, 'patches', total, imageEncoder.patchDimension);
      patches = {
        vectors: { data, lengths, columns: imageEncoder.patchDimension },
        quads: store.floats(ofImages, 'patch_quads', total, 8),
      };
    }
    return {
      entities,
      picturedEntities,
      entityById: new Map(entities.map((entity) => [entity.id, entity])),
      passages,
      entityVectors: store.floats(ofImages, 'vectors', images, imageEncoder.dimension),
      patches,
      passageVectors: store.floats(ofPassages, 'vectors', passages.length, textEncoder.dimension),
    };
  } finally {
    database.close();
  }
}

async function inTurns<T>(rows: Iterable<T>, take: (row: T) => void): Promise<void> {
  let taken = 0;
  for (const row of rows) {
    take(row);
    taken += 1;
    if (taken % ROWS_PER_TURN === 0) await setImmediate();
  }
}

function requireEncoder(
  folder: string,
  records: readonly EncoderRecord[],
  role: 'text' | 'image',
  encoder: (TextEncoder | ImageEncoder) & { readonly patchDimension?: number },
): void {
  const record = records.find((candidate) => candidate.role === role);
  if (record === undefined) {
    throw new GranuleError(
      'CORPUS_INVALID',
      `${folder} does not say which ${role} encoder it was built with`,
      {
        file: join(folder, 'corpus.sqlite'),
      },
    );
  }
  const built = describe(record);
  const given = describe({ ...identity(encoder), patchDimension: encoder.patchDimension ?? 0 });
  if (built !== given) {
    throw new GranuleError(
      'ENCODER_MISMATCH',
      `${folder} was built with the ${role} encoder ${built}, not with ${given}`,
      { folder, role, built, given },
    );
  }
  if (record.state !== undefined && isFittedEncoder(encoder)) encoder.restore(record.state);
}

function identity({ name, version, dimension }: TextEncoder | ImageEncoder) {
  return { name, version, dimension };
}

function describe(encoder: Pick<EncoderRecord, 'name' | 'version' | 'dimension' | 'patchDimension'>): string {
  const patches = encoder.patchDimension > 0 ? `, patches of ${encoder.patchDimension}` : '';
  return `${encoder.name} ${encoder.version} (dimension ${encoder.dimension}${patches})`;
}

function vectorFile(folder: string, files: readonly VectorFile[], name: string): VectorFile {
  const file = files.find((candidate) => candidate.name === name);
  if (file === undefined) {
    throw new GranuleError('CORPUS_INVALID', `${folder} does not say where the vectors of its ${name} are`, {
      file: join(folder, 'corpus.sqlite'),
    });
  }
  return file;
}
