/**
 * What is wrong with options that are given as data, in words that name the place.
 *
 * @module
 */
import { Kind, type TArray, type TLiteral, type TObject, type TSchema, type TUnion } from '@sinclair/typebox';
import { Check } from '@sinclair/typebox/value';
import { show } from '../index/arguments.js';

/** A value that does not fit its schema. */
export interface OptionFault {
  /** `pipeline[2].m` */
  readonly place: string;
  /** `must be an integer of at least 1, got 0` */
  readonly reason: string;
}

/**
 * The first thing that keeps a value from fitting; undefined where it fits.
 *
 * Of a union of objects the one is meant whose names (`method`, `score`) are those of the value, or the one in which the name
 * may be left out.
 */
export function firstFault(schema: TSchema, value: unknown, place: string): OptionFault | undefined {
  if (isObjectSchema(schema)) return objectFault(schema, value, place);
  if (isUnion(schema)) return unionFault(schema, value, place);
  if (isArraySchema(schema) && Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      const fault = firstFault(schema.items, item, `${place}[${i}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (Check(schema, value)) return undefined;
  return { place, reason: `must be ${inWords(schema)}, got ${shown(value)}` };
}

/** The objects that a schema allows: itself, or those of a union. */
export function branchesOf(schema: TSchema): readonly TObject[] {
  if (isObjectSchema(schema)) return [schema];
  return isUnion(schema) ? schema.anyOf.flatMap(branchesOf) : [];
}

/** The object of a schema that a value is meant to be; undefined where its names are those of none. */
export function branchFor(schema: TSchema, value: object): TObject | undefined {
  const branches = branchesOf(schema);
  if (branches.length === 1) return branches[0];
  const name = nameOfBranches(branches);
  const given = valueAt(value, name);
  return branches.find((branch) =>
    given === undefined ? !isRequired(branch, name) : constantAt(branch, name) === given,
  );
}

/** Whether a value is an object with options, as JSON has them. */
export function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function objectFault(schema: TObject, value: unknown, place: string): OptionFault | undefined {
  if (!isPlainObject(value)) return { place, reason: `must be an object, got ${shown(value)}` };
  const known = Object.keys(schema.properties);
  const stray = Object.keys(value).find((key) => !Object.hasOwn(schema.properties, key));
  if (stray !== undefined) {
    const others = known.length === 0 ? 'there are none' : `known are ${known.join(', ')}`;
    return { place: `${place}.${stray}`, reason: `is an unknown option; ${others}` };
  }
  for (const key of known) {
    const option = valueAt(value, key);
    if (option === undefined && !isRequired(schema, key)) continue;
    if (option === undefined) {
      return {
        place: `${place}.${key}`,
        reason: `is missing; it must be ${inWords(schema.properties[key]!)}`,
      };
    }
    const fault = firstFault(schema.properties[key]!, option, `${place}.${key}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function unionFault(schema: TUnion, value: unknown, place: string): OptionFault | undefined {
  if (isPlainObject(value)) {
    const branches = branchesOf(schema);
    if (branches.length > 0) {
      const branch = branchFor(schema, value);
      if (branch !== undefined) return objectFault(branch, value, place);
      const name = nameOfBranches(branches);
      const names = branches.map((other) => String(constantAt(other, name))).join(', ');
      const given = valueAt(value, name);
      const reason = given === undefined ? 'is missing; it must be' : 'must be';
      const got = given === undefined ? '' : `, got ${shown(given)}`;
      return { place: `${place}.${name}`, reason: `${reason} one of ${names}${got}` };
    }
  }
  if (Array.isArray(value)) {
    const list = schema.anyOf.find(isArraySchema);
    if (list !== undefined) return firstFault(list, value, place);
  }
  if (
    schema.anyOf.some((branch) => !isObjectSchema(branch) && firstFault(branch, value, place) === undefined)
  ) {
    return undefined;
  }
  return { place, reason: `must be ${inWords(schema)}, got ${shown(value)}` };
}

/** `an integer of at least 1` */
function inWords(schema: TSchema): string {
  if (isUnion(schema)) {
    const names = schema.anyOf.filter(isLiteral).map((branch) => String(branch.const));
    const others = schema.anyOf.filter((branch) => !isLiteral(branch) && !isUnion(branch)).map(inWords);
    const nested = schema.anyOf.filter(isUnion).map(inWords);
    const all = names.length === 0 ? [] : [names.length === 1 ? names[0]! : `one of ${names.join(', ')}`];
    return [...all, ...nested, ...new Set(others)].join(', or ');
  }
  if (isLiteral(schema)) return shown(schema.const);
  switch (schema[Kind]) {
    case 'Integer':
      return `an integer${rangeInWords(schema)}`;
    case 'Number':
      return `a number${rangeInWords(schema)}`;
    case 'Boolean':
      return 'true or false';
    case 'String':
      return 'a string';
    case 'Array':
      return 'an array';
    default:
      return 'an object';
  }
}

function rangeInWords({ minimum, maximum, exclusiveMinimum }: TSchema): string {
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  return minimum === undefined ? '' : ` of at least ${minimum}`;
}

/** The option that tells the objects of a union apart: the first that is a constant in all of them. */
function nameOfBranches(branches: readonly TObject[]): string {
  return Object.keys(branches[0]!.properties).find((key) =>
    branches.every((branch) => constantAt(branch, key) !== undefined),
  )!;
}

function constantAt({ properties }: TObject, key: string): unknown {
  return Object.hasOwn(properties, key) ? properties[key]!['const'] : undefined;
}

function isRequired({ required }: TObject, key: string): boolean {
  return required?.includes(key) ?? false;
}

function valueAt(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function shown(value: unknown): string {
  return Array.isArray(value) ? 'an array' : show(value);
}

function isObjectSchema(schema: TSchema): schema is TObject {
  return schema[Kind] === 'Object';
}

function isArraySchema(schema: TSchema): schema is TArray {
  return schema[Kind] === 'Array';
}

function isUnion(schema: TSchema): schema is TUnion {
  return schema[Kind] === 'Union';
}

function isLiteral(schema: TSchema): schema is TLiteral {
  return schema[Kind] === 'Literal';
}
