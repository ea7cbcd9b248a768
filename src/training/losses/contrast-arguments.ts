import { types } from 'node:util';
import { GranuleError } from '../../errors.js';
import { checkTemperature, checkThreads, show } from '../../index/arguments.js';
import {
  CONTRAST_DIRECTION_CODES,
  type ContrastDirection,
  type NativeContrastOptions,
} from '../../native/training-types.js';
import { numbers } from '../towers/parameter.js';
import { checkWorkspace, type Workspace } from '../towers/workspace.js';
import {
  checkChoice,
  checkFloats,
  checkLength,
  type Floats,
  type TemperatureOption,
} from './loss-arguments.js';

/** Options of contrasts of vectors; `temperature` at most 1e30. */
export interface VectorContrastOptions extends TemperatureOption {
  /** `both`, the default, is the mean of the two directions. */
  readonly direction?: ContrastDirection | undefined;
  /**
   * Per document, of what group it is: it is no negative of a query whose positive is of the same group, because it is a copy of it, say,
   * or of the same entity. By default each is alone.
   */
  readonly groups?: Uint32Array | undefined;
  /** Per query, what its loss counts for: at least 0, and above 0 at least once. All the same by default. */
  readonly weights?: Floats | undefined;
  /** Most threads; 0, the default, means one per core. Results do not depend on it. */
  readonly threads?: number | undefined;
  /** Where the gradients lie; by default in memory of their own. */
  readonly workspace?: Workspace | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Names of {@link VectorContrastOptions}. */
export const VECTOR_CONTRAST_OPTIONS = [
  'temperature',
  'direction',
  'groups',
  'weights',
  'threads',
  'workspace',
  'signal',
] as const;

const MOST_TEMPERATURE = 1e30;

/**
 * @param n - queries
 * @param m - documents
 * @param least - documents that there must be; n where document i is the positive of query i
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `TARGET_INVALID`, `NOT_FINITE`
 */
export function checkVectorContrast(
  options: VectorContrastOptions,
  columns: number,
  n: number,
  m: number,
  least = n,
): Omit<NativeContrastOptions, 'cancel'> {
  checkLength(n, 'queries');
  if (m < least) {
    throw new GranuleError('LENGTH_MISMATCH', `${n} queries need as many documents, got ${m}`, {
      length: m,
      expected: n,
    });
  }
  const directions = ['query-to-document', 'document-to-query', 'both'] as const;
  const direction = checkChoice(options.direction ?? 'both', directions, 'direction');
  return {
    dimension: columns,
    temperature: checkContrastTemperature(options.temperature),
    direction: CONTRAST_DIRECTION_CODES[direction],
    groups: checkGroups(options.groups, m),
    weights: checkWeights(options.weights, n),
    threads: checkThreads(options.threads ?? 0),
  };
}

/** Room for the gradients of a contrast. @throws GranuleError `INVALID_ARGUMENT`, `OUT_OF_MEMORY` */
export function gradientNumbers(options: VectorContrastOptions, length: number): Float32Array {
  return checkWorkspace(options.workspace)?.floats(length) ?? numbers(length);
}

/** @throws GranuleError `TEMPERATURE_INVALID` */
export function checkContrastTemperature(temperature = 1): number {
  if (checkTemperature(temperature) > MOST_TEMPERATURE) {
    throw new GranuleError(
      'TEMPERATURE_INVALID',
      `temperature must be at most ${MOST_TEMPERATURE}, got ${temperature}`,
    );
  }
  return temperature;
}

function checkGroups(groups: Uint32Array | undefined, documents: number): Uint32Array | undefined {
  if (groups === undefined) return undefined;
  if (!types.isUint32Array(groups)) {
    throw new GranuleError('INVALID_ARGUMENT', `groups must be a Uint32Array, got ${show(groups)}`);
  }
  checkLength(groups.length, 'groups', documents);
  return groups;
}

/** Divided by the greatest, so that their sum is finite. */
function checkWeights(weights: Floats | undefined, queries: number): Float64Array | undefined {
  if (weights === undefined) return undefined;
  const values = checkFloats(weights, 'weights', queries);
  const below = values.findIndex((weight) => weight < 0);
  if (below !== -1) {
    throw new GranuleError('TARGET_INVALID', `weights has ${values[below]} at ${below}`, { position: below });
  }
  const greatest = values.reduce((a, b) => Math.max(a, b), 0);
  if (greatest === 0) throw new GranuleError('TARGET_INVALID', 'weights has none above 0');
  return values.map((weight) => weight / greatest);
}
