import { describe, expect, it } from 'vitest';
import type { MetadataFilter } from '../../../../src/corpus/filter/metadata-filter.js';
import { parseFilter, parseFilterText } from '../../../../src/corpus/filter/parse-filter.js';
import { GranuleError } from '../../../../src/errors.js';

const nested = (depth: number) =>
  Array.from({ length: depth }).reduce<object>((inner) => ({ not: inner }), { a: 1 });

function refusal(value: unknown): GranuleError {
  try {
    parseFilter(value);
  } catch (error) {
    if (error instanceof GranuleError) return error;
    throw error;
  }
  throw new Error('the filter was taken');
}

describe('parseFilter', () => {
  it('reads every operator, and several keys as all of them', () => {
    const filter: MetadataFilter = {
      region: 'Europe',
      population: { gte: 1e6, lt: 1e8 },
      'address.city': { in: ['Rome', null, true, 3] },
      or: [{ a: { eq: 1 } }, { a: { ne: 'x' } }],
      not: { '"a.b".c': { exists: false } },
    };
    expect(parseFilter(filter)).toEqual({
      operator: 'and',
      filters: [
        { operator: 'in', path: ['region'], values: ['Europe'] },
        {
          operator: 'and',
          filters: [
            { operator: 'gte', path: ['population'], value: 1e6 },
            { operator: 'lt', path: ['population'], value: 1e8 },
          ],
        },
        { operator: 'in', path: ['address', 'city'], values: ['Rome', null, true, 3] },
        {
          operator: 'or',
          filters: [
            { operator: 'in', path: ['a'], values: [1] },
            { operator: 'not', filter: { operator: 'in', path: ['a'], values: ['x'] } },
          ],
        },
        {
          operator: 'not',
          filter: { operator: 'not', filter: { operator: 'exists', path: ['a.b', 'c'] } },
        },
      ],
    });
  });

  it.each<[string, string[]]>([
    ['a', ['a']],
    ['a.b.c', ['a', 'b', 'c']],
    ['with space.$x', ['with space', '$x']],
    ['"and"', ['and']],
    ['"a.b"."c"', ['a.b', 'c']],
    ['""', ['']],
    ['"say \\"hi\\" \\\\"', ['say "hi" \\']],
    ['"\\u0041"', ['A']],
    ['new\nline', ['new\nline']],
  ])('reads the field %j', (field, path) => {
    expect(parseFilter({ [field]: 1 })).toEqual({ operator: 'in', path, values: [1] });
  });

  it.each<[string, unknown, string, RegExp]>([
    ['null', null, 'filter', /must be an object, not null/],
    ['an array', [], 'filter', /not an array/],
    ['a text', 'a', 'filter', /not a string/],
    ['an array as a value', { a: ['x'] }, 'filter.a', /is an array: write \{ "in": \[\.\.\.\] \}/],
    ['undefined', { a: undefined }, 'filter.a', /not undefined/],
    ['a bigint', { a: { gt: 5n } }, 'filter.a.gt', /not a bigint/],
    ['NaN', { a: Number.NaN }, 'filter.a', /finite number, not NaN/],
    ['1e400', JSON.parse('{"a":{"in":[1,1e400]}}'), 'filter.a.in[1]', /finite number, not Infinity/],
    ['half a surrogate pair', { a: { lt: '\ud800' } }, 'filter.a.lt', /well-formed/],
    ['half a surrogate pair in a field', { '\ud800': 1 }, 'filter.\ud800', /well-formed/],
    ['no operator', { a: {} }, 'filter.a', /has no operator; known: eq, ne, in/],
    ['an unknown operator', { a: { $gt: 5 } }, 'filter.a.$gt', /'\$gt' is no operator; known: eq/],
    ['a nested object', { a: { b: 5 } }, 'filter.a.b', /written 'outer.inner'/],
    ['not within a field', { a: { not: { gt: 5 } } }, 'filter.a.not', /stands beside fields/],
    ['an operator as a field', { gte: 5 }, 'filter.gte', /'gte' is an operator: write .* or '"gte"'/],
    ['and without an array', { and: { a: 1 } }, 'filter.and', /must be an array of filters, not an object/],
    ['or with something else', { or: [{ a: 1 }, 7] }, 'filter.or[1]', /must be an object, not a number/],
    ['a sparse array', { and: new Array(2) }, 'filter.and[0]', /not undefined/],
    ['not of an array', { not: [{ a: 1 }] }, 'filter.not', /must be an object, not an array/],
    ['order of null', { a: { gt: null } }, 'filter.a.gt', /must be a number or a string, not null/],
    ['order of booleans', { a: { lte: true } }, 'filter.a.lte', /not a boolean/],
    ['exists of a number', { a: { exists: 1 } }, 'filter.a.exists', /must be true or false, not a number/],
    ['in without an array', { a: { in: 'x' } }, 'filter.a.in', /must be an array of values/],
    ['an array in an array', { a: { in: [[1]] } }, 'filter.a.in[0]', /not an array/],
    ['an empty field', { '': 1 }, 'filter.', /is not a field/],
    ['an empty part', { 'a..b': 1 }, 'filter.a..b', /is not a field/],
    ['a dot at the end', { 'a.': 1 }, 'filter.a.', /is not a field/],
    ['a dot at the start', { '.a': 1 }, 'filter..a', /is not a field/],
    ['a quote within a part', { 'a"b': 1 }, 'filter.a"b', /is not a field/],
    ['a quote that does not end', { '"a': 1 }, 'filter."a', /is not a field/],
    ['text behind a quote', { '"a"b': 1 }, 'filter."a"b', /is not a field/],
    ['a quoted part that is no JSON', { '"\\x"': 1 }, 'filter."\\x"', /is not a field/],
    [
      'a place deep within',
      { and: [{ a: 1 }, { not: { or: [{ b: { gte: {} } }] } }] },
      'filter.and[1].not.or[0].b.gte',
      /not an object/,
    ],
  ])('refuses %s and says where', (_, value, path, message) => {
    const error = refusal(value);
    expect(error).toMatchObject({ code: 'METADATA_FILTER_INVALID', details: { path } });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`'${path}'`);
  });

  it.each<[string, unknown, RegExp]>([
    ['depth', nested(17), /more than 16 deep/],
    ['endless depth', JSON.parse(`${'{"not":'.repeat(5000)}{}${'}'.repeat(5000)}`), /more than 16 deep/],
    [
      'conditions',
      Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`f${i}`, i])),
      /more than 256 conditions/,
    ],
    ['empty filters', { and: Array.from({ length: 257 }, () => ({})) }, /more than 256 conditions/],
    ['values', { a: { in: Array.from({ length: 10_001 }, (_, i) => i) } }, /more than 10000 values/],
    ['values of a sparse array', { a: { in: new Array(2 ** 32 - 1) } }, /more than 10000 values/],
    [
      'values of several lists',
      { a: { in: new Array(6000).fill(1) }, b: { in: new Array(6000).fill(1) } },
      /10000 values/,
    ],
    ['characters', { a: { in: ['x'.repeat(600_000), 'y'.repeat(600_000)] } }, /longer than 1000000/],
    ['characters of a field', { ['x'.repeat(1001)]: 1 }, /more than 1000 characters/],
    ['parts of a field', { [new Array(33).fill('a').join('.')]: 1 }, /more than 32 parts/],
  ])('limits %s', (_, value, message) => {
    const error = refusal(value);
    expect(error.code).toBe('METADATA_FILTER_INVALID');
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(500);
  });

  it('takes what the limits allow', () => {
    expect(() => parseFilter(nested(16))).not.toThrow();
    expect(() => parseFilter({ a: { in: new Array(10_000).fill('x') } })).not.toThrow();
    expect(() =>
      parseFilter(Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`f${i}`, i]))),
    ).not.toThrow();
  });
});

describe('the type MetadataFilter', () => {
  it('refuses operators of the wrong type, order of booleans, and operators without a field', () => {
    const wrong: MetadataFilter[] = [
      // @ts-expect-error
      { a: { gte: true } },
      // @ts-expect-error
      { a: { in: 'x' } },
      // @ts-expect-error
      { gte: 5 },
      // @ts-expect-error
      { not: 5 },
    ];
    for (const filter of wrong) expect(refusal(filter).code).toBe('METADATA_FILTER_INVALID');
  });
});

describe('parseFilterText', () => {
  it('reads JSON', () => {
    expect(parseFilterText('{"a":{"gte":1}}')).toEqual({ operator: 'gte', path: ['a'], value: 1 });
  });

  it('says what a filter looks like where the text is no JSON', () => {
    expect(() => parseFilterText('region=Europe')).toThrow(/is not JSON: .*; a filter looks like \{"region"/);
    expect(() => parseFilterText(`"${'x'.repeat(1_000_000)}"`)).toThrow(/more than 1000000/);
  });
});
