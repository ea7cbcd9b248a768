/**
 * Embeddings of a batch that was encoded in pieces.
 *
 * @module
 */
import { type Matrix, matrix, type RaggedMatrix } from '../../vectors/matrix.js';
import type { ImageEmbeddings, Quads, TextEmbeddings } from '../encoder.js';

/** The items of `pieces`, of which there is at least one, in their order. */
export function joinTextEmbeddings(pieces: readonly TextEmbeddings[]): TextEmbeddings {
  if (pieces.length === 1) return pieces[0]!;
  const vectors = joinMatrices(pieces.map((piece) => piece.vectors));
  const tokens = joinLists(pieces.map((piece) => piece.tokens));
  return tokens === undefined ? { vectors } : { vectors, tokens };
}

/** As `joinTextEmbeddings`. */
export function joinImageEmbeddings(pieces: readonly ImageEmbeddings[]): ImageEmbeddings {
  if (pieces.length === 1) return pieces[0]!;
  const vectors = joinMatrices(pieces.map((piece) => piece.vectors));
  const patches = joinLists(pieces.map((piece) => piece.patches));
  const quads = pieces
    .map((piece) => piece.patchQuads)
    .filter((piece): piece is Quads => piece !== undefined);
  return {
    vectors,
    ...(patches && { patches }),
    ...(quads.length > 0 && { patchQuads: joinFloats(quads) }),
  };
}

function joinMatrices(pieces: readonly Matrix[]): Matrix {
  return matrix(joinFloats(pieces.map(({ data }) => data)), pieces[0]!.columns);
}

function joinLists(pieces: readonly (RaggedMatrix | undefined)[]): RaggedMatrix | undefined {
  const there = pieces.filter((piece) => piece !== undefined);
  if (there.length === 0) return undefined;
  const lengths = new Uint32Array(there.reduce((sum, piece) => sum + piece.lengths.length, 0));
  let at = 0;
  for (const piece of there) {
    lengths.set(piece.lengths, at);
    at += piece.lengths.length;
  }
  return { data: joinFloats(there.map(({ data }) => data)), lengths, columns: there[0]!.columns };
}

function joinFloats(pieces: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
