import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  combineAllEvidence,
  combineEvidence,
  dempsterShafer,
  type EvidenceMass,
  evidenceMass,
  evidenceMasses,
  fuse,
  NO_EVIDENCE,
  pignisticProbability,
} from '../../../src/fusion/index.js';
import { filledList, list, places, scoreOf } from './some-lists.js';

/** A mass for each set of {yes, no}: 1 is {yes}, 2 is {no}, 3 is both, by the bits. */
function slowCombination(masses: readonly EvidenceMass[]): EvidenceMass {
  let combined = [0, 0, 0, 1];
  for (const { relevant, irrelevant, unknown } of masses) {
    const source = [0, relevant, irrelevant, unknown];
    const next = [0, 0, 0, 0];
    for (let a = 1; a < 4; a++) for (let b = 1; b < 4; b++) next[a & b]! += combined[a]! * source[b]!;
    combined = next.map((mass, set) => (set === 0 ? 0 : mass / (1 - next[0]!)));
  }
  return { relevant: combined[1]!, irrelevant: combined[2]!, unknown: combined[3]! };
}

const someMass = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.1, max: 0.9, noNaN: true }))
  .map(([belief, trust]) => evidenceMass(belief, { alpha: trust, beta: 1 - trust / 2 }));

function expectMass(mass: EvidenceMass, expected: EvidenceMass): void {
  for (const part of ['relevant', 'irrelevant', 'unknown'] as const) {
    expect(mass[part]).toBeCloseTo(expected[part], 9);
  }
}

describe('masses', () => {
  it('are alpha b, beta (1 - b) and the rest', () => {
    expectMass(evidenceMass(0.5), { relevant: 0.35, irrelevant: 0.45, unknown: 0.2 });
    expectMass(evidenceMass(0.25, { alpha: 0.4, beta: 0.6 }), {
      relevant: 0.1,
      irrelevant: 0.45,
      unknown: 0.45,
    });
    expect(evidenceMass(0, { alpha: 1, beta: 1 }).unknown).toBe(0);
  });

  it.each([
    [1.1, {}],
    [Number.NaN, {}],
    [0.5, { alpha: -0.1 }],
    [0.5, { beta: 2 }],
  ])('of %s with %j are refused', (belief, trust) => {
    expect(() => evidenceMass(belief, trust)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe("Dempster's rule", () => {
  it('is the normalised sum over sets that meet', () => {
    fc.assert(
      fc.property(fc.array(someMass, { maxLength: 4 }), (masses) => {
        const slow = slowCombination(masses);
        expectMass(masses.reduce(combineEvidence, NO_EVIDENCE), slow);
        expectMass(combineAllEvidence(masses), slow);
        expect(slow.relevant + slow.irrelevant + slow.unknown).toBeCloseTo(1, 9);
      }),
    );
  });

  it('gives the same bits in every order of the sources', () => {
    fc.assert(
      fc.property(fc.array(someMass, { maxLength: 5 }), (masses) => {
        expect(combineAllEvidence([...masses].reverse())).toEqual(combineAllEvidence(masses));
      }),
    );
  });

  it('worked by hand', () => {
    // K = 0.7 x 0.9 = 0.63, and 0.37 is left.
    const combined = combineEvidence(evidenceMass(1), evidenceMass(0));
    expectMass(combined, { relevant: 0.07 / 0.37, irrelevant: 0.27 / 0.37, unknown: 0.03 / 0.37 });
    expect(pignisticProbability(combined)).toBeCloseTo(0.085 / 0.37, 12);
  });

  it('leaves a mass alone that is combined with no evidence', () => {
    expectMass(combineEvidence(evidenceMass(0.3), NO_EVIDENCE), evidenceMass(0.3));
  });

  it('ends in 0 from a conflict of 0.999 on, whatever comes after', () => {
    const sure = { alpha: 1, beta: 1 };
    expect(pignisticProbability(combineAllEvidence([1, 0, 1, 1].map((b) => evidenceMass(b, sure))))).toBe(0);
    const almost = combineEvidence(evidenceMass(1, { alpha: 0.998 }), evidenceMass(0, { beta: 1 }));
    expect(almost.irrelevant).toBeCloseTo(1, 12);
    expect(combineEvidence(evidenceMass(1, { alpha: 0.9995 }), evidenceMass(0, { beta: 0.9997 }))).toEqual({
      relevant: 0,
      irrelevant: 1,
      unknown: 0,
    });
  });
});

describe('evidence of a list', () => {
  const spread = list([1, 0.8], [2, 0.4], [3, -0.2]);
  const badButFlat = list([1, 0.011], [2, 0.0105], [3, 0.01]);

  it('takes s / max for the belief, and scores below 0 for 0', () => {
    expect(evidenceMasses(spread)).toEqual([1, 0.5, 0].map((belief) => evidenceMass(belief)));
    expect(evidenceMasses(list([1, -1], [2, -5]))).toEqual([evidenceMass(0), evidenceMass(0)]);
  });

  it('believes all of a flat list in full, as published, however bad it is', () => {
    expect(evidenceMasses(badButFlat)).toEqual(Array(3).fill(evidenceMass(1)));
    expect(evidenceMasses(list([1, 0.001]))).toEqual([evidenceMass(1)]);
    // Flat is less than a tenth of the greatest, and here it is just that much.
    expect(evidenceMasses(list([1, 10], [2, 9]))).toEqual([evidenceMass(1), evidenceMass(0.9)]);
  });

  it('takes nothing from a flat list where that is asked for, and all from another', () => {
    expect(evidenceMasses(badButFlat, { flatLists: 'ignore' })).toEqual(Array(3).fill(NO_EVIDENCE));
    expect(evidenceMasses(spread, { flatLists: 'ignore' })).toEqual(evidenceMasses(spread));
  });

  it('can be measured by the scale of the retriever instead', () => {
    expect(evidenceMasses(badButFlat, { fullBelief: 1 })).toEqual(
      [0.011, 0.0105, 0.01].map((belief) => evidenceMass(belief)),
    );
    expect(evidenceMasses(list([1, 3]), { fullBelief: 2 })).toEqual([evidenceMass(1)]);
  });

  it.each([{ flatLists: 'trust' }, { fullBelief: 0 }, { fullBelief: Number.POSITIVE_INFINITY }])(
    'refuses %j',
    (options) => {
      expect(() => evidenceMasses(spread, options as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    },
  );

  it('refuses infinite scores', () => {
    expect(() => evidenceMasses(list([3, Number.POSITIVE_INFINITY]))).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
  });
});

describe('fusion by evidence', () => {
  it('combines what every list says of a row, of a missing one what it says of its last', () => {
    fc.assert(
      fc.property(
        fc.array(filledList, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('minimum' as const, 'nothing' as const),
        (lists, missing) => {
          const fused = dempsterShafer(lists, { missing, beta: 0.6 });
          for (const [row, score] of places(fused)) {
            const masses = lists.map((each) => {
              const all = evidenceMasses(each, { beta: 0.6 });
              const place = each.rows.indexOf(row);
              if (place !== -1) return all[place]!;
              return missing === 'minimum' ? all.at(-1)! : NO_EVIDENCE;
            });
            const { relevant, unknown } = slowCombination(masses);
            expect(score).toBeCloseTo(relevant + unknown / 2, 9);
            expect(score).toBeGreaterThanOrEqual(0);
            expect(score).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  it('with nothing said of missing rows puts one before a row that was found to be bad', () => {
    const lists = [list([1, 1], [2, 0.5]), list([3, 1], [1, 0.01])];
    const passes = (missing: 'minimum' | 'nothing'): boolean => {
      const fused = dempsterShafer(lists, { missing });
      return scoreOf(fused, 2)! > scoreOf(fused, 1)!;
    };
    expect(passes('nothing')).toBe(true);
    expect(passes('minimum')).toBe(false);
  });

  it('lets a uniformly bad list decide as published, and not where flat lists are ignored', () => {
    const good = list([1, 0.9], [2, 0.75], [3, 0.3]);
    const bad = list([3, 0.0102], [4, 0.01]);
    const published = dempsterShafer([good, bad], { missing: 'nothing' });
    const careful = fuse([good, bad], { method: 'dempster-shafer', missing: 'nothing', flatLists: 'ignore' });
    expect(scoreOf(published, 4)).toBeGreaterThan(scoreOf(published, 2)!);
    expect(scoreOf(careful, 4)).toBe(0.5);
    expect([...careful.rows]).toEqual([1, 2, 4, 3]);
    expect(scoreOf(careful, 2)).toBe(scoreOf(dempsterShafer([good]), 2));
  });

  it('refuses options that it does not have', () => {
    expect(() => dempsterShafer([], { weights: [] } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => dempsterShafer([], { missing: 'zero' } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
