import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  flops,
  inferenceFreeQueries,
  pruneWeights,
  spladeWeights,
  tokenIdf,
} from '../../../src/text/learned-sparse.js';

const code = (name: string) => expect.objectContaining({ code: name });
/** Words' first letters are tokens: a is 0. */
const tokenize = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word) => word.charCodeAt(0) - 97);

function sparse(rows: readonly (readonly [number, number])[][]) {
  return {
    lengths: Uint32Array.from(rows, (row) => row.length),
    terms: Uint32Array.from(rows.flat(), ([term]) => term),
    values: Float32Array.from(rows.flat(), ([, value]) => value),
  };
}

describe('queries without a model', () => {
  const idf = Float32Array.of(1.5, -2, 0, 4);

  it('have each distinct token once, with its weight, special and worthless ones left out', () => {
    const queries = inferenceFreeQueries(['d a a d b c', '', 'b', 'a'], {
      tokenize,
      idf,
      specialTokens: [3],
    });
    expect(queries).toEqual(sparse([[[0, 1.5]], [], [], [[0, 1.5]]]));
    expect(inferenceFreeQueries(['d a d'], { tokenize, idf })).toEqual(
      sparse([
        [
          [0, 1.5],
          [3, 4],
        ],
      ]),
    );
  });

  it('do not depend on the order or the number of a token’s places', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 12 }), (tokens) => {
        const text = (ids: number[]) => ids.map((id) => String.fromCharCode(97 + id)).join(' ');
        const distinct = [...new Set(tokens)].reverse();
        expect(inferenceFreeQueries([text(tokens)], { tokenize, idf })).toEqual(
          inferenceFreeQueries([text(distinct)], { tokenize, idf }),
        );
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it('are refused with tokens that have no weight, or none that is finite', () => {
    expect(() => inferenceFreeQueries(['e'], { tokenize, idf })).toThrowError(code('INVALID_ARGUMENT'));
    expect(() => inferenceFreeQueries(['a'], { tokenize, idf: Float32Array.of(Number.NaN) })).toThrowError(
      code('NOT_FINITE'),
    );
    expect(() => inferenceFreeQueries(['a'], { tokenize, idf, special: [] } as never)).toThrowError(
      code('INVALID_ARGUMENT'),
    );
  });

  it('weigh a token by how few documents hold it', () => {
    const weights = tokenIdf(Uint32Array.of(0, 2, 10), 10);
    for (const [i, df] of [0, 2, 10].entries()) {
      expect(weights[i]).toBe(Math.fround(Math.log(1 + (10 - df + 0.5) / (df + 0.5))));
    }
    expect(() => tokenIdf(Uint32Array.of(3), 2)).toThrowError(code('INVALID_ARGUMENT'));
  });
});

describe('documents from logits', () => {
  it('are the slow form of the formula', () => {
    const document = fc.array(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -30, max: 30 }), {
        minLength: 4,
        maxLength: 4,
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.array(document, { maxLength: 4 }), fc.boolean(), (documents, twice) => {
        const weights = spladeWeights(
          {
            data: Float32Array.from(documents.flat(2)),
            lengths: Uint32Array.from(documents, (d) => d.length),
            columns: 4,
          },
          twice ? { activation: 'log-log' } : {},
        );
        const expected = documents.map((positions) =>
          [0, 1, 2, 3]
            .map((token) => {
              // The definition takes the maximum last; the function takes it first.
              const each = positions.map((logits) => {
                const once = Math.log1p(Math.max(0, logits[token]!));
                return Math.fround(twice ? Math.log1p(once) : once);
              });
              return [token, Math.max(0, ...each)] as const;
            })
            .filter(([, weight]) => weight > 0),
        );
        expect(weights).toEqual(sparse(expected));
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('are refused where shapes do not fit, and for what is not finite', () => {
    const lengths = Uint32Array.of(2);
    expect(() => spladeWeights({ data: new Float32Array(3), lengths, columns: 2 })).toThrowError(
      code('LENGTH_MISMATCH'),
    );
    expect(() =>
      spladeWeights({ data: Float32Array.of(0, 0, 0, Number.NaN), lengths, columns: 2 }),
    ).toThrowError(expect.objectContaining({ code: 'NOT_FINITE', details: { row: 1, column: 1 } }));
    expect(() =>
      spladeWeights({ data: new Float32Array(4), lengths, columns: 2 }, { activation: 'x' as never }),
    ).toThrowError(code('INVALID_ARGUMENT'));
  });
});

describe('pruning', () => {
  const rows = sparse([
    [
      [1, 4],
      [5, 1],
      [9, 2],
    ],
    [],
    [[0, 0.5]],
  ]);

  it('keeps what is above the share of the row’s greatest weight', () => {
    expect(pruneWeights(rows, 0.25)).toEqual(
      sparse([
        [
          [1, 4],
          [9, 2],
        ],
        [],
        [[0, 0.5]],
      ]),
    );
    expect(pruneWeights(rows, 0.24)).toEqual(rows);
    expect(pruneWeights(rows, 0)).toEqual(rows);
  });

  it('is refused for a share that is none', () => {
    for (const ratio of [-0.1, 1, Number.NaN])
      expect(() => pruneWeights(rows, ratio)).toThrowError(code('INVALID_ARGUMENT'));
  });
});

it('FLOPS are the sum of the squared mean weights', () => {
  // Means over 2 documents: token 0: (1 + 3) / 2 = 2, token 2: 1 / 2, token 3: |-2| / 2 = 1.
  expect(
    flops(
      sparse([
        [
          [0, 1],
          [2, 1],
        ],
        [
          [0, 3],
          [3, -2],
        ],
      ]),
    ),
  ).toBe(4 + 0.25 + 1);
  expect(flops(sparse([]))).toBe(0);
  expect(flops(sparse([[], []]))).toBe(0);
});
