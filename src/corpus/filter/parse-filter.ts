import { GranuleError } from '../../errors.js';
import { parseFieldPath } from './field-path.js';
import type { FieldPath, FilterComparison, FilterScalar, ParsedFilter } from './metadata-filter.js';

/**
 * What a filter may at most hold: characters are UTF-16 units, `depth` counts `and`, `or` and `not` within one another,
 * `values` and `characters` are those of the whole filter.
 */
const LIMITS = {
  depth: 16,
  conditions: 256,
  values: 10_000,
  characters: 1_000_000,
  field: 1_000,
  parts: 32,
} as const;

const LOGICAL = ['and', 'or', 'not'] as const;
const COMPARISONS = ['gt', 'gte', 'lt', 'lte'] as const satisfies readonly FilterComparison[];
const OPERATORS: readonly string[] = ['eq', 'ne', 'in', ...COMPARISONS, 'exists'];

/**
 * Checks that `value` is a `MetadataFilter` and returns it in the form that `matchesFilter` and the corpus take.
 *
 * Limits: 16 levels of `and`, `or` and `not`, 256 conditions, 10,000 values and 1,000,000 characters in all, 1,000
 * characters and 32 parts per field.
 *
 * @throws GranuleError `METADATA_FILTER_INVALID` with `path`, the place of what is wrong
 */
export function parseFilter(value: unknown): ParsedFilter {
  return new FilterParser().filter(value, 'filter', 0);
}

/**
 * `parseFilter` of a JSON text.
 *
 * @throws GranuleError `METADATA_FILTER_INVALID`
 */
export function parseFilterText(text: string): ParsedFilter {
  if (text.length > LIMITS.characters) {
    throw invalid('filter', `has ${text.length} characters, more than ${LIMITS.characters}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(
      'filter',
      `is not JSON: ${(error as Error).message}; a filter looks like {"region": "Europe"}`,
    );
  }
  return parseFilter(value);
}

/** Reads one filter and counts what it holds. */
class FilterParser {
  #conditions = 0;
  #values = 0;
  #characters = 0;

  /** @param at - what messages call the place; `depth` counts `and`, `or` and `not` around it */
  filter(value: unknown, at: string, depth: number): ParsedFilter {
    if (!isObject(value)) throw invalid(at, `must be an object, not ${kindOf(value)}`);
    if (depth > LIMITS.depth) {
      throw invalid(at, `nests 'and', 'or' and 'not' more than ${LIMITS.depth} deep`);
    }
    return all(Object.entries(value).map(([key, inner]) => this.#entry(key, inner, at, depth)));
  }

  #entry(key: string, value: unknown, at: string, depth: number): ParsedFilter {
    const place = `${at}.${key.length > LIMITS.field ? `${key.slice(0, 40)}...` : key}`;
    if (key === 'not') {
      this.#countCondition(place);
      return { operator: 'not', filter: this.filter(value, place, depth + 1) };
    }
    if (key === 'and' || key === 'or') {
      this.#countCondition(place);
      if (!Array.isArray(value)) throw invalid(place, `must be an array of filters, not ${kindOf(value)}`);
      if (value.length > LIMITS.conditions) throw tooMany(place);
      const filters = Array.from(value, (inner, i) => this.filter(inner, `${place}[${i}]`, depth + 1));
      return { operator: key, filters };
    }
    return this.#field(this.#fieldPath(key, place), value, place);
  }

  #fieldPath(field: string, at: string): FieldPath {
    if (OPERATORS.includes(field)) {
      throw invalid(
        at,
        `'${field}' is an operator: write { "<field>": { "${field}": ... } }, or '"${field}"' for a field of that name`,
      );
    }
    if (field.length > LIMITS.field) throw invalid(at, `has more than ${LIMITS.field} characters`);
    if (!wellFormed(field)) throw invalid(at, 'is not well-formed Unicode');
    const path = parseFieldPath(field);
    if (path === undefined) {
      throw invalid(
        at,
        `is not a field: parts are joined by single dots, and a key with a dot or a quote is a JSON string: '"a.b".c'`,
      );
    }
    if (path.length > LIMITS.parts) throw invalid(at, `has more than ${LIMITS.parts} parts`);
    return path;
  }

  #field(path: FieldPath, value: unknown, at: string): ParsedFilter {
    if (Array.isArray(value)) throw invalid(at, `is an array: write { "in": [...] }`);
    if (!isObject(value)) {
      this.#countCondition(at);
      return { operator: 'in', path, values: [this.#scalar(value, at)] };
    }
    const entries = Object.entries(value);
    if (entries.length === 0) throw invalid(at, `has no operator; known: ${OPERATORS.join(', ')}`);
    return all(
      entries.map(([operator, operand]) => this.#condition(path, operator, operand, `${at}.${operator}`)),
    );
  }

  #condition(path: FieldPath, operator: string, operand: unknown, at: string): ParsedFilter {
    this.#countCondition(at);
    if (operator === 'eq') return { operator: 'in', path, values: [this.#scalar(operand, at)] };
    if (operator === 'ne') return not({ operator: 'in', path, values: [this.#scalar(operand, at)] });
    if (operator === 'in') return { operator, path, values: this.#scalars(operand, at) };
    if (operator === 'exists') {
      if (typeof operand !== 'boolean') throw invalid(at, `must be true or false, not ${kindOf(operand)}`);
      return operand ? { operator, path } : not({ operator, path });
    }
    if (isComparison(operator)) {
      const value = this.#scalar(operand, at);
      if (typeof value !== 'number' && typeof value !== 'string') {
        throw invalid(at, `must be a number or a string, not ${kindOf(value)}`);
      }
      return { operator, path, value };
    }
    const reason = (LOGICAL as readonly string[]).includes(operator)
      ? `'${operator}' stands beside fields, not within one`
      : `'${shortened(operator)}' is no operator; known: ${OPERATORS.join(', ')}; nested fields are written 'outer.inner'`;
    throw invalid(at, reason);
  }

  #scalars(value: unknown, at: string): FilterScalar[] {
    if (!Array.isArray(value)) throw invalid(at, `must be an array of values, not ${kindOf(value)}`);
    if (value.length > LIMITS.values) throw tooManyValues(at);
    return Array.from(value, (item, i) => this.#scalar(item, `${at}[${i}]`));
  }

  #scalar(value: unknown, at: string): FilterScalar {
    this.#values += 1;
    if (this.#values > LIMITS.values) throw tooManyValues(at);
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw invalid(at, `must be a finite number, not ${value}`);
      return value;
    }
    if (typeof value === 'string') {
      this.#characters += value.length;
      if (this.#characters > LIMITS.characters) {
        throw invalid(at, `makes the filter longer than ${LIMITS.characters} characters`);
      }
      if (!wellFormed(value)) throw invalid(at, 'is not well-formed Unicode');
      return value;
    }
    throw invalid(at, `must be a string, a number, true, false or null, not ${kindOf(value)}`);
  }

  #countCondition(at: string): void {
    this.#conditions += 1;
    if (this.#conditions > LIMITS.conditions) throw tooMany(at);
  }
}

function all(filters: readonly ParsedFilter[]): ParsedFilter {
  return filters.length === 1 ? filters[0]! : { operator: 'and', filters };
}

function not(filter: ParsedFilter): ParsedFilter {
  return { operator: 'not', filter };
}

function isComparison(operator: string): operator is FilterComparison {
  return (COMPARISONS as readonly string[]).includes(operator);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}

function wellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function tooMany(at: string): GranuleError {
  return invalid(at, `makes more than ${LIMITS.conditions} conditions`);
}

function tooManyValues(at: string): GranuleError {
  return invalid(at, `makes more than ${LIMITS.values} values`);
}

function invalid(path: string, reason: string): GranuleError {
  return new GranuleError('METADATA_FILTER_INVALID', `'${path}' ${reason}`, { path });
}
