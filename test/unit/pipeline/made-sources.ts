/**
 * Sources over 40 made rows, searched in a slow and obvious way, that remember what they were asked.
 *
 * @module
 */
import type { MetadataFilter } from '../../../src/corpus/filter/metadata-filter.js';
import { bestMatches } from '../../../src/granularity/index.js';
import type { MatchedList, PipelineSources, SourceSearchOptions } from '../../../src/pipeline/index.js';
import { firstPlaces, type RankedList, rankedList } from '../../../src/ranking/ranked-list.js';
import { type Matrix, matrix, matrixRow, type RaggedMatrix } from '../../../src/vectors/matrix.js';
import { Seeded } from '../../conformance/seeded.js';
import { slowMaxSim, slowTile } from '../granularity/scores/tile-scores.js';

export const ROWS = 40;
export const DIMENSION = 6;
export const VECTORS = matrix(new Seeded(21).normal(ROWS * DIMENSION), DIMENSION);
/** One to four vectors of four numbers each; the fifth row has none. */
export const LENGTHS = Uint32Array.from({ length: ROWS }, (_, row) => (row === 5 ? 0 : 1 + (row % 4)));
export const TOKENS = new Seeded(22).normal(LENGTHS.reduce((sum, length) => sum + length, 0) * 4);
export const QUERY = { text: 'a query' };
export const QUERY_VECTOR = new Seeded(23).normal(DIMENSION);
export const QUERY_TOKENS = matrix(new Seeded(24).normal(3 * 4), 4);
/** Few rows, with equal scores among them. */
export const SPARSE = rankedList([3, 17, 29, 8, 30, 11], [4, 3.5, 2, 2, 1, 0.5]);
/** What the filter `{ even: true }` allows. */
const EVEN: MetadataFilter = { even: true };

export const documentOf = (row: number): string | undefined => (row === 29 ? undefined : `d${row >> 1}`);
export const entityOf = (row: number): string => `e${row % 7}`;

/** What a source was asked. */
export interface Asked {
  readonly kind: string;
  readonly options: SourceSearchOptions;
}

function allowed(filter: MetadataFilter | undefined): (row: number) => boolean {
  if (filter === undefined) return () => true;
  if (JSON.stringify(filter) === JSON.stringify(EVEN)) return (row) => row % 2 === 0;
  throw new Error(`the made sources know one filter, ${JSON.stringify(EVEN)}`);
}

function ranked(scoreOf: (row: number) => number, rows: readonly number[], k: number): RankedList {
  return firstPlaces(
    rankedList(
      rows,
      rows.map((row) => scoreOf(row)),
    ),
    k,
  );
}

const allRows = (filter: MetadataFilter | undefined) => [...Array(ROWS).keys()].filter(allowed(filter));

export function denseSearch(vector: Float32Array, k: number, filter?: MetadataFilter): RankedList {
  const score = (row: number) =>
    matrixRow(VECTORS, row).reduce((sum, value, i) => sum + value * vector[i]!, 0);
  return ranked(score, allRows(filter), k);
}

export function vectorsOf(rows: Iterable<number>): Matrix {
  return matrix(Float32Array.from([...rows].flatMap((row) => [...matrixRow(VECTORS, row)])), DIMENSION);
}

export function tokensOf(rows: Iterable<number>): RaggedMatrix {
  const own = [...rows];
  const data = own.flatMap((row) => {
    const first = LENGTHS.subarray(0, row).reduce((sum, length) => sum + length, 0);
    return [...TOKENS.subarray(first * 4, (first + LENGTHS[row]!) * 4)];
  });
  return {
    data: Float32Array.from(data),
    lengths: Uint32Array.from(own, (row) => LENGTHS[row]!),
    columns: 4,
  };
}

const tileOf = (query: Matrix, row: number) => slowTile(query, matrix(tokensOf([row]).data, 4));

export function tokenSearch(query: Matrix, k: number, rows: readonly number[]): MatchedList {
  const list = ranked((row) => Math.fround(slowMaxSim(tileOf(query, row))), rows, k);
  return { ...list, matches: Array.from(list.rows, (row) => bestMatches(tileOf(query, row))) };
}

/** New sources, and what they have been asked. */
export function madeSources(): {
  readonly sources: PipelineSources;
  readonly asked: Asked[];
  encoded: () => number;
} {
  const asked: Asked[] = [];
  let encoded = 0;
  const note = (kind: string, options: SourceSearchOptions) => asked.push({ kind, options });
  const sparseList = (list: RankedList, { k, filter }: SourceSearchOptions) => {
    const places = [...list.rows.keys()].filter((place) => allowed(filter)(list.rows[place]!));
    return firstPlaces(
      rankedList(
        places.map((place) => list.rows[place]!),
        places.map((place) => list.scores[place]!),
      ),
      k,
    );
  };
  const sources: PipelineSources = {
    dense: {
      text: {
        level: 'passage',
        encode: async () => {
          encoded += 1;
          return QUERY_VECTOR;
        },
        search: async (vector, options) => {
          note('dense', options);
          return denseSearch(vector, options.k, options.filter);
        },
        vectorsOf: async (rows) => vectorsOf(rows),
      },
    },
    sparse: {
      words: {
        level: 'passage',
        search: async (_, options) => {
          note('sparse', options);
          return sparseList(SPARSE, options);
        },
      },
    },
    multiVector: {
      tokens: {
        level: 'passage',
        encode: async () => {
          encoded += 1;
          return QUERY_TOKENS;
        },
        search: async (query, options) => {
          note('multiVector', options);
          return tokenSearch(query, options.k, [...(options.candidates ?? allRows(options.filter))]);
        },
        vectorsOf: async (rows) => tokensOf(rows),
      },
    },
    approximate: {
      some: {
        level: 'passage',
        search: async (_, options) => {
          note('approximate', options);
          return sparseList(SPARSE, options);
        },
      },
    },
    groups: {
      document: { passage: async (rows) => Array.from(rows, documentOf) },
      entity: { passage: async (rows) => Array.from(rows, entityOf) },
    },
    ids: { passage: async (rows) => Array.from(rows, (row) => `p${row}`) },
  };
  return { sources, asked, encoded: () => encoded };
}
