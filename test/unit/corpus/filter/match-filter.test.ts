import { describe, expect, it } from 'vitest';
import { effectiveMetadata, matchesFilter } from '../../../../src/corpus/filter/match-filter.js';
import type { MetadataFilter } from '../../../../src/corpus/filter/metadata-filter.js';
import { parseFilter } from '../../../../src/corpus/filter/parse-filter.js';
import { FilterDatabase } from './filter-database.js';

const METADATA = {
  region: 'Europe',
  population: 1e6,
  big: 2 ** 53,
  zero: -0,
  capital: true,
  gone: null,
  tags: ['a', 1, null, ['x']],
  address: { city: 'Rome' },
  'a.b': { c: 1 },
  authors: [{ name: 'N' }],
  smile: '😀',
};

const CASES: [MetadataFilter, boolean][] = [
  [{}, true],
  [{ and: [] }, true],
  [{ or: [] }, false],
  [{ not: {} }, false],
  [{ region: 'Europe' }, true],
  [{ region: 'europe' }, false],
  [{ region: 'Europe', capital: false }, false],
  [{ region: { in: ['Asia', 'Europe'] } }, true],
  [{ region: { in: [] } }, false],
  [{ region: { ne: 'Asia' } }, true],
  [{ region: { ne: 'Europe' } }, false],
  [{ absent: { ne: 'x' } }, true],
  // Nothing is converted.
  [{ population: '1000000' }, false],
  [{ capital: 1 }, false],
  [{ capital: 'true' }, false],
  [{ capital: true }, true],
  [{ region: { gt: 0 } }, false],
  [{ capital: { gte: 0 } }, false],
  [{ not: { capital: { gte: 0 } } }, true],
  [{ population: { gte: 1e6, lt: 1e6 + 1 } }, true],
  [{ population: { gt: 1e6 } }, false],
  [{ zero: 0 }, true],
  [{ zero: { gte: 0 } }, true],
  [{ big: { lt: 2 ** 53 + 2 } }, true],
  // A missing field is not null.
  [{ gone: null }, true],
  [{ absent: null }, false],
  [{ gone: { exists: true } }, true],
  [{ absent: { exists: false } }, true],
  [{ gone: { gte: 0 } }, false],
  [{ absent: { lt: 'x' } }, false],
  // An array is equal to its elements, one level deep, and has no order.
  [{ tags: 'a' }, true],
  [{ tags: 1 }, true],
  [{ tags: null }, true],
  [{ tags: 'x' }, false],
  [{ tags: { ne: 'a' } }, false],
  [{ tags: { in: ['z', 1] } }, true],
  [{ tags: { gte: 0 } }, false],
  [{ tags: { exists: true } }, true],
  // Paths go through objects only.
  [{ 'address.city': 'Rome' }, true],
  [{ address: { exists: true } }, true],
  [{ address: { ne: 'Rome' } }, true],
  [{ 'address.city.street': { exists: false } }, true],
  [{ 'a.b.c': 1 }, false],
  [{ '"a.b".c': 1 }, true],
  [{ 'tags.0': { exists: true } }, false],
  [{ 'authors.name': 'N' }, false],
  [{ 'region.length': { exists: true } }, false],
  [{ 'constructor.name': { exists: true } }, false],
  [{ '"__proto__"': { exists: true } }, false],
  // By code point, not by UTF-16 unit.
  [{ smile: { gt: '\ufffd' } }, true],
  [{ smile: { gt: '😀' } }, false],
  [{ smile: { lt: '😀a', gte: '😀' } }, true],
];

describe('matchesFilter and filterSql', () => {
  it.each(CASES)('%j: %s', (filter, expected) => {
    const parsed = parseFilter(filter);
    expect(matchesFilter(parsed, METADATA)).toBe(expected);
    const database = new FilterDatabase();
    database.add(METADATA);
    expect(database.rows(parsed)).toEqual(expected ? [0] : []);
    database.close();
  });

  it('takes metadata that are absent as empty', () => {
    expect(matchesFilter(parseFilter({ a: { ne: 1 } }), undefined)).toBe(true);
    expect(matchesFilter(parseFilter({ a: 1 }), undefined)).toBe(false);
  });

  it('lays the metadata of a document over those of its entity, top-level key by top-level key', () => {
    const entity = { lang: 'en', place: { city: 'Rome', zip: 1 } };
    const document = { lang: 'it', place: { city: 'Turin' } };
    expect(effectiveMetadata(entity, document)).toEqual({ lang: 'it', place: { city: 'Turin' } });
    const database = new FilterDatabase();
    const { own, ofDocuments } = database.add(entity, [document, undefined, { year: 1 }]);
    const [overlaid, bare, added] = ofDocuments;
    const rows = (filter: MetadataFilter) => database.rows(parseFilter(filter));
    expect(rows({ lang: 'en' })).toEqual([own, bare, added]);
    expect(rows({ lang: 'it' })).toEqual([overlaid]);
    expect(rows({ 'place.zip': 1 })).toEqual([own, bare, added]);
    expect(rows({ year: 1, lang: 'en' })).toEqual([added]);
    expect(database.rows(parseFilter({ lang: 'en' }), 'images')).toEqual([own]);
    database.close();
  });
});
