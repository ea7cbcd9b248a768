import { GranuleError } from '../errors.js';
import type { MeasureFamily, ParameterKind } from './measure-family.js';
import { MEASURE_FAMILIES, MEASURE_SETS } from './measure-table.js';

/** One measure: a family with its parameter. */
export interface SelectedMeasure {
  /** As it is printed: `P_10`. */
  readonly name: string;
  readonly family: MeasureFamily;
  /** 0 where the family has none. */
  readonly parameter: number;
}

/** Names of the families and of the sets of families, as they can be asked for. */
export function measureNames(): { families: string[]; sets: string[] } {
  return { families: MEASURE_FAMILIES.map(({ name }) => name), sets: [...MEASURE_SETS.keys()] };
}

/**
 * The measures that are asked for, in the order of the table, each once.
 *
 * A name is a family's (`P`, with its default parameters), a family's with parameters (`P.5,10`), a measure's as it is printed
 * (`P_5`), or a set's (`official`, `all_trec`). Where parameters are given for a family, they take the place of its defaults.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for a name that is unknown or a parameter out of range
 */
export function selectMeasures(names: readonly string[]): SelectedMeasure[] {
  const asked = new Map<string, string[]>();
  for (const name of names) {
    for (const { family, parameters } of MEASURE_SETS.get(name)?.map(byItself) ?? [parseName(name)]) {
      const known = asked.get(family) ?? [];
      asked.set(family, [...known, ...parameters]);
    }
  }
  return MEASURE_FAMILIES.flatMap((family) => {
    const given = asked.get(family.name);
    return given === undefined ? [] : measuresOf(family, given);
  });
}

interface AskedFamily {
  readonly family: string;
  /** As they were written; none for the defaults. */
  readonly parameters: readonly string[];
}

function byItself(family: string): AskedFamily {
  return { family, parameters: [] };
}

function parseName(name: string): AskedFamily {
  const isFamily = (text: string) => MEASURE_FAMILIES.some((family) => family.name === text);
  if (isFamily(name)) return byItself(name);
  const withParameters = /^(.+?)[._]([\d.,]+)$/.exec(name);
  if (withParameters !== null && isFamily(withParameters[1]!)) {
    return { family: withParameters[1]!, parameters: withParameters[2]!.split(',') };
  }
  const { families, sets } = measureNames();
  throw new GranuleError(
    'INVALID_ARGUMENT',
    `unknown measure ${name}; known are ${families.join(', ')}, and the sets ${sets.join(' and ')}`,
    { measure: name },
  );
}

function measuresOf(family: MeasureFamily, given: readonly string[]): SelectedMeasure[] {
  const { name, parameters } = family;
  if (parameters === undefined) {
    if (given.length > 0) refuse(`${name} has no parameter, got ${given.join()}`, name);
    return [{ name, family, parameter: 0 }];
  }
  const { kind, defaults } = parameters;
  const { isOneOf, expected, suffix, several } = PARAMETER_KINDS[kind];
  const values = given.map((text) => {
    const value = Number(text);
    if (text === '' || !isOneOf(value)) refuse(`${name} takes ${expected}, got ${text || 'nothing'}`, name);
    return value;
  });
  if (!several) {
    if (new Set(values).size > 1) refuse(`${name} takes one parameter, got ${given.join()}`, name);
    const [value] = values;
    return [
      value === undefined
        ? { name, family, parameter: defaults[0]! }
        : { name: `${name}_${value}`, family, parameter: value },
    ];
  }
  const chosen = values.length === 0 ? defaults : [...new Set(values)].sort((a, b) => a - b);
  return chosen.map((value) => ({ name: `${name}_${suffix(value)}`, family, parameter: value }));
}

function refuse(message: string, measure: string): never {
  throw new GranuleError('INVALID_ARGUMENT', message, { measure });
}

interface ParameterRule {
  readonly isOneOf: (value: number) => boolean;
  readonly expected: string;
  readonly several: boolean;
  readonly suffix: (value: number) => string;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
const twoDigits = (value: number) => value.toFixed(2);
/** Others would be printed under each other's names. */
const hasTwoDigits = (value: number) => Number(twoDigits(value)) === value;

const PARAMETER_KINDS: Readonly<Record<ParameterKind, ParameterRule>> = {
  ranks: { isOneOf: isCount, expected: 'ranks from 1', several: true, suffix: String },
  recalls: {
    isOneOf: (value) => value >= 0 && value <= 1 && hasTwoDigits(value),
    expected: 'recalls from 0 to 1 of at most two decimals',
    several: true,
    suffix: twoDigits,
  },
  multiples: {
    isOneOf: (value) => value > 0 && Number.isFinite(value) && hasTwoDigits(value),
    expected: 'multiples above 0 of at most two decimals',
    several: true,
    suffix: twoDigits,
  },
  weight: {
    isOneOf: (value) => value >= 0 && Number.isFinite(value),
    expected: 'a weight of at least 0',
    several: false,
    suffix: String,
  },
  persistence: {
    isOneOf: (value) => value > 0 && value < 1,
    expected: 'a persistence between 0 and 1',
    several: false,
    suffix: String,
  },
  length: { isOneOf: isCount, expected: 'a number of documents from 1', several: false, suffix: String },
};
