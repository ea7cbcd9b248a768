import Database from 'libsql';
import { expect, it } from 'vitest';
import { SCHEMA } from '../../../../src/corpus/database/corpus-schema.js';
import { type FilterSpace, filterSql } from '../../../../src/corpus/filter/filter-sql.js';
import { parseFilter } from '../../../../src/corpus/filter/parse-filter.js';

/** How SQLite evaluates a filter: the steps that read tables and indexes of a corpus. */
function plan(filter: object, space: FilterSpace): string[] {
  const database = new Database(':memory:');
  database.exec(SCHEMA);
  const { sql, parameters } = filterSql(parseFilter(filter), space);
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { detail: string }[];
  database.close();
  return steps
    .map(({ detail }) => detail)
    .filter((detail) => /^(?:SCAN|SEARCH) (?:[edpi]|documents)\b/.test(detail));
}

it.each([
  { region: 'Europe' },
  { population: { gt: 1e6 } },
  { or: [{ tags: { in: ['a', 'b'] } }, { not: { 'a.b': 'c' } }] },
])('the filter %j reads each entity once, and of passages and images an index without texts', (filter) => {
  expect(plan(filter, 'passages')).toEqual([
    'SCAN e',
    'SEARCH p USING COVERING INDEX passages_by_entity (entity=?)',
    'SCAN documents USING INDEX documents_with_metadata',
    'SCAN d USING INDEX documents_with_metadata',
    'SEARCH e USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH p USING COVERING INDEX passages_by_document (document=? AND row>?)',
  ]);
  expect(plan(filter, 'images')).toEqual([
    'SCAN e',
    'SEARCH i USING COVERING INDEX images_by_entity (entity=? AND row>?)',
  ]);
});
