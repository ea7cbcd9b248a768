import type { CorpusSnapshot } from '../../corpus/snapshot/corpus-snapshot.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';

/** What a query is compared with: passages for a text, images for a picture. */
export type SpaceKind = 'passages' | 'images';

/** All of a snapshot that can be found in one space, numbered from 0. */
export interface CorpusSpace {
  readonly kind: SpaceKind;
  readonly vectors: Matrix;
  /** The rows that an id stands for: a passage's or an image's own, or all that belong to a document or an entity. */
  rowsOf(id: string): readonly number[] | undefined;
  /** The number here of a row of the snapshot. */
  numberOf(row: number): number;
}

/** Records and vectors that are read at once. */
const ROWS = 1024;

/**
 * Reads a space. Ids of passages or images go before ids of documents, and those before ids of entities.
 *
 * @throws GranuleError as the snapshot's methods
 */
export async function readCorpusSpace(
  snapshot: CorpusSnapshot,
  kind: SpaceKind,
  signal: AbortSignal | undefined,
): Promise<CorpusSpace> {
  const rows = rowsIn(await (kind === 'passages' ? snapshot.findablePassages() : snapshot.findableImages()));
  const levels = [new Map<string, number[]>(), new Map<string, number[]>(), new Map<string, number[]>()];
  const numbers = new Map<number, number>();
  let [data, columns] = [new Float32Array(0), 1];
  for (let start = 0; start < rows.length; start += ROWS) {
    const some = rows.slice(start, start + ROWS);
    const [ids, vectors] = await Promise.all([
      idsOf(snapshot, kind, some),
      kind === 'passages' ? snapshot.passageVectors(some, signal) : snapshot.imageVectors(some, signal),
    ]);
    if (start === 0) {
      columns = vectors.columns;
      data = new Float32Array(rows.length * columns);
    }
    data.set(vectors.data, start * columns);
    for (const [i, row] of some.entries()) {
      numbers.set(row, start + i);
      for (const [level, id] of ids[i]!.entries()) if (id !== undefined) addTo(levels[level]!, id, start + i);
    }
  }
  return {
    kind,
    vectors: matrix(data, columns),
    rowsOf: (id) => levels.map((level) => level.get(id)).find((found) => found !== undefined),
    numberOf: (row) => numbers.get(row)!,
  };
}

type Ids = readonly [own: string, document: string | undefined, entity: string];

async function idsOf(snapshot: CorpusSnapshot, kind: SpaceKind, rows: readonly number[]): Promise<Ids[]> {
  if (kind === 'images') {
    return (await snapshot.images(rows)).map(({ id, entityId }): Ids => [id, undefined, entityId]);
  }
  const passages = await snapshot.passages(rows);
  return passages.map(({ id, documentId, entityId }): Ids => [id, documentId, entityId]);
}

function addTo(lists: Map<string, number[]>, id: string, number: number): void {
  const list = lists.get(id);
  if (list === undefined) lists.set(id, [number]);
  else list.push(number);
}

/** The rows whose bits are set, ascending. */
function rowsIn(bits: Uint8Array): number[] {
  const rows: number[] = [];
  for (let row = 0; row < bits.length * 8; row++) {
    if ((bits[row >> 3]! & (1 << (row & 7))) !== 0) rows.push(row);
  }
  return rows;
}
