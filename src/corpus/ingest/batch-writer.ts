import type { SqlValue } from '../database/database-thread.js';
import { imageName } from '../storage/image-files.js';
import type { WriteAccess, WriteTransaction } from '../storage/write-access.js';
import type { EncodedLine } from './batch-encoder.js';
import { concatenate } from './checked-encoding.js';
import { deleteRecords } from './delete-steps.js';
import type { RefusedLine } from './prepared-line.js';
import { type Clash, duplicateId, insertSteps, textRecords } from './record-steps.js';

/** What became of lines. */
export interface WrittenLines {
  readonly added: number;
  /** Lines that took the place of what was stored of their entity. */
  readonly replaced: number;
  readonly refused: readonly RefusedLine[];
}

interface Named {
  readonly id: string;
  /** The entity's id. */
  readonly owner: string;
}

const TABLES = ['passages', 'documents', 'images'] as const;
type Table = (typeof TABLES)[number];

/**
 * Writes lines, each as the whole of its entity, in as few transactions as it takes. A line that takes an id of another
 * entity is refused; it may take what an earlier line gave up.
 */
export async function writeLines(access: WriteAccess, lines: readonly EncodedLine[]): Promise<WrittenLines> {
  const sum = { added: 0, replaced: 0 };
  const refused: RefusedLine[] = [];
  for (let first = 0; first < lines.length; ) {
    const rest = lines.slice(first);
    await access.transaction(async (transaction) => {
      const { taken, refusals, end, stored } = await choose(transaction, rest);
      refused.push(...refusals);
      const replacing = taken.filter(({ id }) => stored.has(id));
      await deleteRecords(
        transaction,
        'entity',
        replacing.map(({ id }) => stored.get(id)!),
      );
      insertLines(transaction, taken);
      sum.replaced += replacing.length;
      sum.added += taken.length - replacing.length;
      first += end;
    });
  }
  return { ...sum, refused };
}

/** The lines that one transaction can take: all up to one that wants an id which another of them gives up. */
async function choose(transaction: WriteTransaction, lines: readonly EncodedLine[]) {
  const stored = new Map(
    (
      await named<{ id: string; entity: number }>(
        transaction,
        'SELECT e.id, e.entity',
        'entities AS e ON e.id = j.value',
        lines.map(({ id }) => id),
      )
    ).map(({ id, entity }) => [id, entity]),
  );
  const owners = new Map<Table, Map<string, string>>();
  for (const table of TABLES) {
    const ids = lines.flatMap((line) => line[table].map(({ id }) => id));
    const found = await named<Named>(
      transaction,
      'SELECT t.id, e.id AS owner',
      `${table} AS t ON t.id = j.value JOIN entities AS e ON e.entity = t.entity`,
      ids,
    );
    owners.set(table, new Map(found.map(({ id, owner }) => [id, owner])));
  }
  const taken: EncodedLine[] = [];
  const refusals: RefusedLine[] = [];
  const replaced = new Set<string>();
  for (const [i, line] of lines.entries()) {
    const clash = clashOf(line, owners);
    if (clash === undefined) {
      claim(line, owners);
      taken.push(line);
      replaced.add(line.id);
    } else if (
      clash.owner !== line.id &&
      replaced.has(clash.owner) &&
      stored.has(clash.owner) &&
      !claims(taken, clash)
    ) {
      return { taken, refusals, end: i, stored };
    } else {
      refusals.push({ line: line.line, id: line.id, error: duplicateId(clash) });
    }
  }
  return { taken, refusals, end: lines.length, stored };
}

/** An id of the line that is another entity's, or that the line names twice. */
function clashOf(
  line: EncodedLine,
  owners: ReadonlyMap<Table, ReadonlyMap<string, string>>,
): Clash | undefined {
  for (const table of TABLES) {
    const own = new Set<string>();
    for (const { id } of line[table]) {
      const owner = own.has(id) ? line.id : owners.get(table)!.get(id);
      if (own.has(id) || (owner !== undefined && owner !== line.id)) return { table, id, owner: owner! };
      own.add(id);
    }
  }
  return undefined;
}

function claim(line: EncodedLine, owners: ReadonlyMap<Table, Map<string, string>>): void {
  for (const table of TABLES) for (const { id } of line[table]) owners.get(table)!.set(id, line.id);
}

/** Whether one of the lines keeps the id for its entity. */
function claims(taken: readonly EncodedLine[], { table, id, owner }: Clash): boolean {
  return taken.some((line) => line.id === owner && line[table].some((item) => item.id === id));
}

function insertLines(transaction: WriteTransaction, lines: readonly EncodedLine[]): void {
  const { state } = transaction;
  const entities: SqlValue[][] = [];
  const documents: SqlValue[][] = [];
  const passages: SqlValue[][] = [];
  const images: SqlValue[][] = [];
  const firstRows = { passages: state.passageRows, images: state.imageRows };
  for (const line of lines) {
    const entity = state.nextEntity++;
    entities.push([entity, line.id, line.title, line.metadata ?? null, line.hash]);
    const { passageVectors } = line;
    const texts = textRecords(state, entity, line.documents, line.passages, passageVectors !== undefined);
    documents.push(...texts.documents);
    passages.push(...texts.passages);
    for (const [i, { id, sha256, extension, width, height, bytes }] of line.images.entries()) {
      const row = line.imageVectors === undefined ? null : state.imageRows++;
      const boxes = line.imageVectors?.boxes[i] ?? null;
      images.push([
        state.nextImage++,
        id,
        entity,
        sha256,
        extension,
        width,
        height,
        bytes.length,
        boxes,
        row,
      ]);
    }
  }
  state.entities += entities.length;
  state.images += images.length;
  const kept = [...new Set(lines.flatMap((line) => line.images.map(imageName)))].map((name) => [name]);
  transaction.add(
    ...insertSteps('entities', entities),
    ...insertSteps('documents', documents),
    ...insertSteps('passages', passages),
    ...insertSteps('images', images),
  );
  if (kept.length > 0)
    transaction.add({ kind: 'many', sql: 'DELETE FROM orphans WHERE file = ?', parameters: kept });
  addVectors(transaction, lines, firstRows);
}

function addVectors(
  transaction: WriteTransaction,
  lines: readonly EncodedLine[],
  first: { readonly passages: number; readonly images: number },
): void {
  const { state } = transaction;
  const passages = state.passageRows - first.passages;
  if (passages > 0) {
    const vectors = concatenate(lines.map(({ passageVectors }) => passageVectors!));
    transaction.addRows({ space: 'passages', row: first.passages, rows: passages, vectors });
  }
  const rows = state.imageRows - first.images;
  if (rows === 0) return;
  const parts = lines.map(({ imageVectors }) => imageVectors!);
  const vectors = concatenate(parts.map((part) => part.vectors));
  transaction.addRows({ space: 'images', row: first.images, rows, vectors });
  const patches = parts.flatMap((part) => part.patches ?? []);
  if (patches.length === 0) return;
  transaction.addRows({
    space: 'patches',
    row: first.images,
    rows,
    vectors: concatenate(patches.map((part) => part.vectors)),
    lengths: Uint32Array.from(patches.flatMap(({ lengths }) => [...lengths])),
  });
}

/** Records of a list of ids. */
function named<Row>(
  { connection }: WriteTransaction,
  select: string,
  join: string,
  ids: readonly string[],
): Promise<Row[]> {
  return connection.all<Row>(`${select} FROM json_each(?) AS j CROSS JOIN ${join}`, [JSON.stringify(ids)]);
}
