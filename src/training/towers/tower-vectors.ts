import { GranuleError } from '../../errors.js';
import { checkFloat32, checkUint32, show } from '../../index/arguments.js';
import type { Matrix, RaggedMatrix } from '../../vectors/matrix.js';

/** What a tower maps: a vector per row, or lists of vectors, each of which is mapped alone. */
export type TowerVectors = Matrix | RaggedMatrix;

/** A matrix for a matrix, a ragged one for a ragged one. */
export type Mapped<Vectors extends TowerVectors> = Vectors extends RaggedMatrix ? RaggedMatrix : Matrix;

/**
 * The numbers of `vectors`, whole rows of `columns`.
 *
 * @param needed - how many rows there must be; undefined: any number
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`
 */
export function checkTowerVectors(
  vectors: TowerVectors,
  columns: number,
  name: string,
  needed?: number,
): Float32Array {
  if (typeof vectors !== 'object' || vectors === null || !('data' in vectors)) {
    throw new GranuleError('INVALID_ARGUMENT', `${name} must be a matrix, got ${show(vectors)}`);
  }
  const data = checkFloat32(vectors.data, `${name}.data`);
  if (vectors.columns !== columns) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} has ${show(vectors.columns)} columns, and ${columns} are needed`,
      { columns: Number(vectors.columns), needed: columns },
    );
  }
  const rows = 'lengths' in vectors ? sum(checkUint32(vectors.lengths, `${name}.lengths`)) : vectors.rows;
  if (rows * columns !== data.length) {
    throw new GranuleError(
      'LENGTH_MISMATCH',
      `${name} holds ${data.length} values, which are not ${show(rows)} rows of ${columns}`,
      { length: data.length, rows: Number(rows), columns },
    );
  }
  if (needed !== undefined && rows !== needed) {
    throw new GranuleError('LENGTH_MISMATCH', `${name} has ${rows} rows, and ${needed} are needed`, {
      rows,
      needed,
    });
  }
  return data;
}

/** `data` in rows of `columns`, divided as `like` is. */
export function arrangedAs<Vectors extends TowerVectors>(
  like: Vectors,
  data: Float32Array,
  columns: number,
): Mapped<Vectors> {
  const out: TowerVectors =
    'lengths' in like ? { data, lengths: like.lengths, columns } : { data, rows: like.rows, columns };
  return out as Mapped<Vectors>;
}

function sum(lengths: Uint32Array): number {
  let total = 0;
  for (const length of lengths) total += length;
  return total;
}
