import { GranuleError } from '../../errors.js';
import type { Step } from './database-thread.js';

/** The spaces in which rows are numbered; patches share the images' rows, and have an index of their own. */
export type Space = 'passages' | 'images' | 'patches';

/** What the table `state` says. */
export interface CorpusState {
  /** UUID of the corpus. */
  readonly id: string;
  /** One more with every commit. */
  readonly version: number;
  /** Which folder of indexes is current. */
  readonly generation: number;
  /** One more whenever the encoders' records change. */
  readonly encoding: number;
  /** Numbers that the next new records get; a number is never used twice. */
  readonly nextEntity: number;
  readonly nextDocument: number;
  readonly nextPassage: number;
  readonly nextImage: number;
  /** Rows that were given out in this generation. */
  readonly passageRows: number;
  readonly imageRows: number;
  /** Rows among them whose passage or image was deleted. */
  readonly deadPassages: number;
  readonly deadImages: number;
  /** Records that there are. */
  readonly entities: number;
  readonly documents: number;
  readonly passages: number;
  readonly images: number;
  /** Rows that the index folders are known to hold. */
  readonly savedPassages: number;
  readonly savedImages: number;
  readonly savedPatches: number;
  /** What waits in the journal. */
  readonly journalRecords: number;
  readonly journalBytes: number;
}

/** A state that a transaction is about to write. */
export type CorpusStateDraft = { -readonly [Field in keyof CorpusState]: CorpusState[Field] };

/** The state of a corpus that was just made. */
export function firstState(id: string): CorpusState {
  return {
    id,
    version: 1,
    generation: 1,
    encoding: 1,
    nextEntity: 1,
    nextDocument: 1,
    nextPassage: 1,
    nextImage: 1,
    passageRows: 0,
    imageRows: 0,
    deadPassages: 0,
    deadImages: 0,
    entities: 0,
    documents: 0,
    passages: 0,
    images: 0,
    savedPassages: 0,
    savedImages: 0,
    savedPatches: 0,
    journalRecords: 0,
    journalBytes: 0,
  };
}

/** Rows that were given out in a space. */
export function rowsOf(state: CorpusState, space: Space): number {
  return space === 'passages' ? state.passageRows : state.imageRows;
}

/** Reads the state; inside of a transaction, of the transaction's snapshot. */
export const READ_STATE: Step = { kind: 'all', sql: 'SELECT key, value FROM state', parameters: [] };

/**
 * What `READ_STATE` gave, checked.
 *
 * @throws GranuleError `CORPUS_INVALID`
 */
export function parseState(result: unknown, file: string): CorpusState {
  const found = new Map((result as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]));
  const state: Record<string, unknown> = {};
  for (const [field, example] of Object.entries(firstState(''))) {
    const value = found.get(field);
    const isGood =
      typeof example === 'string'
        ? typeof value === 'string'
        : Number.isSafeInteger(value) && (value as number) >= 0;
    if (!isGood) {
      throw new GranuleError('CORPUS_INVALID', `${file} has no valid '${field}' in its table 'state'`, {
        file,
      });
    }
    state[field] = value;
  }
  return state as unknown as CorpusState;
}

/** Writes the fields in which `next` differs from `previous`. */
export function writeState(next: CorpusState, previous?: CorpusState): Extract<Step, { kind: 'many' }> {
  const changed = Object.entries(next).filter(
    ([field, value]) => previous === undefined || previous[field as keyof CorpusState] !== value,
  );
  return {
    kind: 'many',
    sql: 'INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)',
    parameters: changed,
  };
}
