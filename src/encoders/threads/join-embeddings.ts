/**
 * Embeddings of a batch that was encoded in pieces. A large batch is joined in several turns of the event loop.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises';
import { type Matrix, matrix, type RaggedMatrix } from '../../vectors/matrix.js';
import type { ImageEmbeddings, Quads, TextEmbeddings } from '../encoder.js';

/** Numbers that are copied in one turn of the event loop: a fraction of a millisecond. */
const FLOATS_PER_TURN = 1 << 18;

/** The items of `pieces`, of which there is at least one, in their order. */
export async function joinTextEmbeddings(pieces: readonly TextEmbeddings[]): Promise<TextEmbeddings> {
  if (pieces.length === 1) return pieces[0]!;
  const vectors = await joinMatrices(pieces.map((piece) => piece.vectors));
  const tokens = await joinLists(pieces.map((piece) => piece.tokens));
  return tokens === undefined ? { vectors } : { vectors, tokens };
}

/** As `joinTextEmbeddings`. */
export async function joinImageEmbeddings(pieces: readonly ImageEmbeddings[]): Promise<ImageEmbeddings> {
  if (pieces.length === 1) return pieces[0]!;
  const vectors = await joinMatrices(pieces.map((piece) => piece.vectors));
  const patches = await joinLists(pieces.map((piece) => piece.patches));
  const quads = pieces
    .map((piece) => piece.patchQuads)
    .filter((piece): piece is Quads => piece !== undefined);
  return {
    vectors,
    ...(patches && { patches }),
    ...(quads.length > 0 && { patchQuads: await joinFloats(quads) }),
  };
}

async function joinMatrices(pieces: readonly Matrix[]): Promise<Matrix> {
  return matrix(await joinFloats(pieces.map(({ data }) => data)), pieces[0]!.columns);
}

async function joinLists(pieces: readonly (RaggedMatrix | undefined)[]): Promise<RaggedMatrix | undefined> {
  const there = pieces.filter((piece) => piece !== undefined);
  if (there.length === 0) return undefined;
  const lengths = new Uint32Array(there.reduce((sum, piece) => sum + piece.lengths.length, 0));
  let at = 0;
  for (const piece of there) {
    lengths.set(piece.lengths, at);
    at += piece.lengths.length;
  }
  return { data: await joinFloats(there.map(({ data }) => data)), lengths, columns: there[0]!.columns };
}

async function joinFloats(pieces: readonly Float32Array[]): Promise<Float32Array> {
  const joined = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  let turnEnds = FLOATS_PER_TURN;
  for (const piece of pieces) {
    if (at + piece.length > turnEnds) {
      await setImmediate();
      turnEnds = at + FLOATS_PER_TURN;
    }
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
