import type { FieldPath, FilterComparison, FilterScalar, ParsedFilter } from './metadata-filter.js';
import { nextNumber } from './nearby-numbers.js';

/** What a filter is applied to: passages, or the images of entities. */
export type FilterSpace = 'passages' | 'images';

/** A query and the values of its parameters `?1`, `?2`, ... */
export interface FilterSql {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

/** Most places by which SQLite's reading of a decimal number misses the nearest float64; 1 is what happens. */
const READING_ERROR = 2;

/**
 * The query for the rows of a space whose effective metadata fulfil `filter`: column `row`, in no particular order, each
 * row once. A passage's metadata is its entity's overlaid by its document's, an image's is its entity's; what has no row
 * yet is left out.
 *
 * Nothing of the filter is part of the SQL text: values and JSON paths are bound. The conditions are evaluated once per
 * entity and once per document that has metadata of its own; rows are joined to what fulfilled them, in that order (CROSS
 * JOIN): SQLite, which keeps no statistics here, would rather read all passages. Metadata must be stored
 * as `JSON.stringify` writes them, since equality compares the JSON texts of values: SQLite rounds some decimal numbers
 * to the float64 beside the nearest.
 */
export function filterSql(filter: ParsedFilter, space: FilterSpace): FilterSql {
  const bound = new Parameters();
  const ofEntity = condition(filter, bound, () => 'e.metadata');
  const entities = `matching_entities(entity) AS MATERIALIZED (SELECT e.entity FROM entities AS e WHERE ${ofEntity})`;
  if (space === 'images') {
    const sql = `WITH ${entities}
      SELECT i.row AS row FROM matching_entities AS m CROSS JOIN images AS i ON i.entity = m.entity WHERE i.row IS NOT NULL`;
    return { sql, parameters: bound.values };
  }
  const ofDocument = condition(filter, bound, (path) => {
    const key = bound.add(jsonPath([path[0]]));
    return `CASE WHEN json_type(d.metadata, ${key}) IS NULL THEN e.metadata ELSE d.metadata END`;
  });
  const sql = `WITH ${entities},
      matching_documents(document) AS MATERIALIZED (
        SELECT d.document FROM documents AS d JOIN entities AS e ON e.entity = d.entity
        WHERE d.metadata IS NOT NULL AND ${ofDocument})
      SELECT p.row AS row FROM matching_entities AS m CROSS JOIN passages AS p ON p.entity = m.entity
      WHERE p.row IS NOT NULL AND (p.document IS NULL
        OR p.document NOT IN (SELECT document FROM documents WHERE metadata IS NOT NULL))
      UNION ALL
      SELECT p.row FROM matching_documents AS m CROSS JOIN passages AS p ON p.document = m.document
      WHERE p.row IS NOT NULL`;
  return { sql, parameters: bound.values };
}

/** Values to bind, each once. */
class Parameters {
  readonly values: (string | number)[] = [];
  readonly #places = new Map<string | number, string>();

  /** Binds `value` and returns the parameter that stands for it. */
  add(value: string | number): string {
    let place = this.#places.get(value);
    if (place === undefined) {
      place = `?${this.values.push(value)}`;
      this.#places.set(value, place);
    }
    return place;
  }

  /** A subquery with `values` as its rows. */
  list(values: readonly (string | number)[]): string {
    return `(SELECT value FROM json_each(${this.add(JSON.stringify(values))}))`;
  }
}

/** Gives the expression for the metadata in which a field is looked up. */
type MetadataOf = (path: FieldPath) => string;

/** An expression that is 0 or 1, never NULL, so that NOT is exact. */
function condition(filter: ParsedFilter, bound: Parameters, metadataOf: MetadataOf): string {
  switch (filter.operator) {
    case 'and':
    case 'or': {
      const inner = filter.filters.map((each) => condition(each, bound, metadataOf));
      if (inner.length === 0) return filter.operator === 'and' ? '1' : '0';
      return `(${inner.join(filter.operator === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `(NOT ${condition(filter.filter, bound, metadataOf)})`;
    case 'exists':
      return `(json_type(${metadataOf(filter.path)}, ${bound.add(jsonPath(filter.path))}) IS NOT NULL)`;
    case 'in':
      return membership(filter.values, bound, metadataOf(filter.path), bound.add(jsonPath(filter.path)));
    default:
      return comparison(
        filter.operator,
        filter.value,
        bound,
        metadataOf(filter.path),
        bound.add(jsonPath(filter.path)),
      );
  }
}

function membership(
  values: readonly FilterScalar[],
  bound: Parameters,
  metadata: string,
  path: string,
): string {
  const texts = values.map((value) => JSON.stringify(value));
  const isValue = texts.length === 1 ? `= ${bound.add(texts[0]!)}` : `IN ${bound.list(texts)}`;
  // Elements are compared by type and value first: reading an element's JSON text takes time that grows with the array.
  const typed = `(SELECT type, ifnull(atom, '') FROM json_each(${bound.add(JSON.stringify(values))}))`;
  return `(CASE json_type(${metadata}, ${path})
    WHEN 'array' THEN EXISTS (SELECT 1 FROM json_each(${metadata}, ${path}) AS element
      WHERE (element.type, ifnull(element.atom, '')) IN ${typed}
      AND ((${metadata}) -> (${path} || '[' || element.key || ']')) ${isValue})
    ELSE ifnull(((${metadata}) -> ${path}) ${isValue}, 0) END)`;
}

function comparison(
  operator: FilterComparison,
  value: number | string,
  bound: Parameters,
  metadata: string,
  path: string,
): string {
  const type = `json_type(${metadata}, ${path})`;
  const field = `((${metadata}) ->> ${path})`;
  const sign = { gt: '>', gte: '>=', lt: '<', lte: '<=' }[operator];
  if (typeof value === 'string') {
    return `(ifnull(${type} = 'text', 0) AND ${field} ${sign} ${bound.add(value)})`;
  }
  // Beyond the reading error the number decides. Within it the JSON text does, which is one of a few.
  const up = operator === 'gt' || operator === 'gte' ? 1 : -1;
  const steps = Array.from({ length: 2 * READING_ERROR }, (_, i) => up * (i + 1));
  const near = steps.map((step) => nextNumber(value, step)).filter(Number.isFinite);
  if (operator === 'gte' || operator === 'lte') near.push(value);
  const beyond = bound.add(nextNumber(value, up * READING_ERROR));
  const within = bound.add(nextNumber(value, -up * READING_ERROR));
  return `(ifnull(${type} IN ('integer', 'real'), 0) AND (${field} ${sign[0]} ${beyond}
    OR (${field} ${sign[0]}= ${within}
      AND ((${metadata}) -> ${path}) IN ${bound.list(near.map((number) => JSON.stringify(number)))})))`;
}

/** A path in SQLite's notation, with every key in quotes. */
function jsonPath(path: FieldPath): string {
  // SQLite ends a quoted key at the first quote, so that a quote within is written as an escape.
  const escaped = (key: string) =>
    key.replace(/["\\\p{Cc}]/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$${path.map((key) => `."${escaped(key)}"`).join('')}`;
}
