import type { CorpusState } from './database/corpus-state.js';
import type { EncoderRecord, EncoderRole } from './encoder-records.js';
import { countsOf, type SnapshotCounts } from './snapshot/corpus-snapshot.js';

/** What a corpus is and holds. */
export interface CorpusInfo {
  readonly folder: string;
  /** UUID, made with the corpus. */
  readonly id: string;
  /** One more with every change. */
  readonly version: number;
  readonly counts: SnapshotCounts;
  /** Passages and images that were deleted or replaced, and whose vectors stay until `compact`. */
  readonly deadPassages: number;
  readonly deadImages: number;
  /** Bytes of vectors that are in the database and not in the index folders yet. */
  readonly journalBytes: number;
  readonly encoders: Readonly<
    Record<EncoderRole, Omit<EncoderRecord, 'state'> & { readonly fitted: boolean }>
  >;
}

/** A state of a corpus, for people and programs. */
export function describeCorpus(
  folder: string,
  state: CorpusState,
  { text, image }: Readonly<Record<EncoderRole, EncoderRecord>>,
): CorpusInfo {
  const { id, version, deadPassages, deadImages, journalBytes } = state;
  const about = ({ state: learned, ...record }: EncoderRecord) => ({
    ...record,
    fitted: learned !== undefined,
  });
  return {
    folder,
    id,
    version,
    counts: countsOf(state),
    deadPassages,
    deadImages,
    journalBytes,
    encoders: { text: about(text), image: about(image) },
  };
}
