import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterSql } from '../../../../src/corpus/filter/filter-sql.js';
import { effectiveMetadata, matchesFilter } from '../../../../src/corpus/filter/match-filter.js';
import type { MetadataFilter } from '../../../../src/corpus/filter/metadata-filter.js';
import { nextNumber } from '../../../../src/corpus/filter/nearby-numbers.js';
import { parseFilter } from '../../../../src/corpus/filter/parse-filter.js';
import type { Metadata } from '../../../../src/corpus/records.js';
import { FilterDatabase } from './filter-database.js';

/** Few keys and values, so that filters meet metadata often; the values are those on which readings of JSON differ. */
const KEYS = ['a', 'b', 'a.b', 'q"uote', 'back\\slash', '', 'new\nline', 'é', 'and', 'eq', '$', '[0]', '#-1'];
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  0.1 + 0.2,
  0.3,
  1e21,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 63,
  nextNumber(2 ** 63, -1),
  -(2 ** 63),
  Number.MAX_VALUE,
  5e-324,
  // Numbers that SQLite reads as the float64 beside them.
  -1.010803308472902e-154,
  -5.598271702477129e-93,
  5.125432103540105e113,
];
const number = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...NUMBERS), fc.integer({ min: -3, max: 3 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...NUMBERS), fc.constant(0)) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: -1, max: 1 }),
      ),
    },
  )
  .map(([value, steps]) => (steps === 0 ? value : nextNumber(value, steps)))
  .filter(Number.isFinite);
const string = fc.constantFrom(
  '',
  'a',
  'b',
  'A',
  '1',
  'true',
  'null',
  'é',
  'e\u0301',
  '\ufffd',
  '😀',
  'a\0b',
  'a"b',
  '\\',
  '\u2028',
);
const scalar = fc.oneof(number, string, fc.boolean(), fc.constant(null));
const key = fc.constantFrom(...KEYS);

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.constant('\ud800'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  ),
}));
const metadata = fc.dictionary(key, anyValue, { maxKeys: 4 }) as fc.Arbitrary<Metadata>;

const field = fc
  .array(key, { minLength: 1, maxLength: 2 })
  .map((keys) => keys.map((each) => JSON.stringify(each)).join('.'));
const order = fc.oneof(number, string);
const fieldCondition = fc.oneof(
  scalar,
  fc.record({ eq: scalar }),
  fc.record({ ne: scalar }),
  fc.record({ in: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ gt: order, lte: order }, { requiredKeys: ['gt'] }),
  fc.record({ gte: order, lt: order }, { requiredKeys: ['lt'] }),
  fc.record({ gte: order }),
  fc.record({ lte: order }),
);
const { filter: anyFilter } = fc.letrec<{ filter: MetadataFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    fc.dictionary(field, fieldCondition, { minKeys: 1, maxKeys: 2 }),
    fc.record({ not: tie('filter') }),
    fc.record({ and: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('filter'), { maxLength: 3 }) }),
  ) as fc.Arbitrary<MetadataFilter>,
}));

describe('filterSql', () => {
  it('finds the rows that matchesFilter finds, whatever metadata and filters hold', () => {
    const entities = fc.array(
      fc.tuple(
        fc.option(metadata, { nil: undefined }),
        fc.array(fc.option(metadata, { nil: undefined }), { maxLength: 2 }),
      ),
      {
        minLength: 5,
        maxLength: 20,
      },
    );
    let matched = 0;
    let compared = 0;
    fc.assert(
      fc.property(entities, fc.array(anyFilter, { minLength: 20, maxLength: 20 }), (content, filters) => {
        const database = new FilterDatabase();
        const passages = new Map<number, Metadata | undefined>();
        const images = new Map<number, Metadata | undefined>();
        for (const [entity, documents] of content) {
          const { own, ofDocuments } = database.add(entity, documents);
          passages.set(own, entity);
          images.set(own, entity);
          for (const [i, row] of ofDocuments.entries())
            passages.set(row, effectiveMetadata(entity, documents[i]));
        }
        for (const each of filters) {
          const parsed = parseFilter(each);
          for (const [space, of] of [
            ['passages', passages],
            ['images', images],
          ] as const) {
            const expected = [...of].filter(([, held]) => matchesFilter(parsed, held)).map(([row]) => row);
            expect(database.rows(parsed, space)).toEqual(expected);
            matched += expected.length;
            compared += of.size;
          }
        }
        database.close();
      }),
      { numRuns: 100, seed: 1 },
    );
    // The comparison would say nothing if all filters found everything or nothing.
    expect(matched / compared).toBeGreaterThan(0.2);
    expect(matched / compared).toBeLessThan(0.8);
  });

  it('binds all that comes from the filter', () => {
    const secret = `x'); DROP TABLE passages; --"`;
    const filter = parseFilter({
      [JSON.stringify(secret)]: secret,
      a: { gt: secret, in: [secret], lt: 123456789 },
    });
    const { sql, parameters } = filterSql(filter, 'passages');
    expect(sql).not.toMatch(/DROP|x'|123456789/);
    expect(parameters.join()).toContain('DROP');
    // The text depends on the form of a filter only.
    const other = parseFilter({ b: 'y', c: { gt: 'y', in: ['y'], lt: 5 } });
    expect(filterSql(other, 'passages').sql).toBe(sql);
  });

  it('works at the limits of a filter', () => {
    const database = new FilterDatabase();
    database.add({ a: 9_999, f255: 255 });
    const deepest = Array.from({ length: 16 }).reduce<MetadataFilter>((inner) => ({ not: inner }), {
      a: 9_999,
    });
    expect(database.rows(parseFilter(deepest))).toEqual([0]);
    const widest = Array.from({ length: 255 }, (_, i) => ({ [`f${i + 1}`]: { gte: 0, exists: true } }));
    expect(database.rows(parseFilter({ or: widest.slice(-127) }))).toEqual([0]);
    const longest = { a: { in: Array.from({ length: 10_000 }, (_, i) => i) } };
    expect(database.rows(parseFilter(longest))).toEqual([0]);
    const path = Array.from({ length: 32 }, () => 'a').join('.');
    expect(database.rows(parseFilter({ [path]: { exists: false } }))).toEqual([0]);
    database.close();
  });

  it('compares numbers as JavaScript does where SQLite reads another one', () => {
    const numbers = [-1.010803308472902e-154, 5.125432103540105e113, 2 ** 63, nextNumber(2 ** 63, -1)];
    for (const number of numbers) {
      const database = new FilterDatabase();
      const steps = [-2, -1, 0, 1, 2];
      for (const step of steps)
        database.add({ n: nextNumber(number, step), list: [0, nextNumber(number, step)] });
      const rows = (filter: MetadataFilter) => database.rows(parseFilter(filter));
      for (const [row, step] of steps.entries()) {
        const value = nextNumber(number, step);
        expect(rows({ n: value })).toEqual([row]);
        expect(rows({ list: value })).toEqual([row]);
        expect(rows({ n: { lt: value } })).toEqual([0, 1, 2, 3, 4].slice(0, row));
        expect(rows({ n: { gte: value } })).toEqual([0, 1, 2, 3, 4].slice(row));
        expect(rows({ n: { gt: value, lte: number } })).toEqual([0, 1, 2].slice(row + 1));
      }
      database.close();
    }
  });
});
