import { GranuleError } from '../../errors.js';
import { checkBoolean, checkKeys, MAX_DIMENSION, show } from '../../index/arguments.js';
import { type NativeTowerShape, TOWER_KIND_CODES } from '../../native/training-types.js';

/** What every tower may do to its outputs. */
interface Normalising {
  /** Whether outputs are divided by max(norm, 1e-12); true by default. */
  readonly normalise?: boolean | undefined;
}

/** `z = W x + b`. Parameters: `weight` [output, input], `bias` [output]. */
export interface LinearTowerShape extends Normalising {
  readonly kind: 'linear';
  /** Numbers per input vector, 1 to 65,536. */
  readonly input: number;
  /** Numbers per output vector, 1 to 65,536. */
  readonly output: number;
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean | undefined;
}

/** `z = x + scale U (D x)`. Parameters: `down` D [rank, dimension], `up` U [dimension, rank]. */
export interface LowRankTowerShape extends Normalising {
  readonly kind: 'low-rank';
  /** Numbers per input and output vector, 1 to 65,536. */
  readonly dimension: number;
  /** 1 to 65,536. */
  readonly rank: number;
  /** 1 by default. */
  readonly scale?: number | undefined;
}

/**
 * `z = V max(0, W x + c) + b`, and `+ x` where it is residual. Parameters: `hidden.weight` W [hidden, input], `hidden.bias` c [hidden],
 * `output.weight` V [output, hidden], `output.bias` b [output].
 */
export interface MlpTowerShape extends Normalising {
  readonly kind: 'mlp';
  /** Numbers per input vector, 1 to 65,536. */
  readonly input: number;
  /** Hidden units, 1 to 65,536. */
  readonly hidden: number;
  /** Numbers per output vector, 1 to 65,536. */
  readonly output: number;
  /** Whether there are the two biases; true by default. */
  readonly bias?: boolean | undefined;
  /** Whether the input is added; then input = output. False by default. */
  readonly residual?: boolean | undefined;
}

/** What a {@link Tower} computes: y = z, or z / max(|z|, 1e-12), with z as the kind has it. */
export type TowerShape = LinearTowerShape | LowRankTowerShape | MlpTowerShape;

/** A parameter of a shape: its name and sizes, and the tensor of the addon that it is. */
export interface TowerTensor {
  readonly name: string;
  readonly shape: readonly [number, ...number[]];
  readonly role: 'hiddenWeight' | 'hiddenBias' | 'outputWeight' | 'outputBias';
}

/**
 * The shape as the addon has it.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`
 */
export function checkTowerShape(shape: TowerShape): NativeTowerShape {
  switch (shape?.kind) {
    case 'linear':
      checkKeys(shape, ['kind', 'input', 'output', 'bias', 'normalise']);
      checkBoolean(shape.bias ?? true, 'bias');
      return native(shape, shape.input, 0, shape.output, {});
    case 'low-rank': {
      checkKeys(shape, ['kind', 'dimension', 'rank', 'scale', 'normalise']);
      const { scale = 1 } = shape;
      if (typeof scale !== 'number' || !Number.isFinite(scale)) {
        throw new GranuleError('INVALID_ARGUMENT', `scale must be a finite number, got ${show(scale)}`);
      }
      return native(shape, shape.dimension, checkSize(shape.rank, 'rank'), shape.dimension, { scale });
    }
    case 'mlp': {
      checkKeys(shape, ['kind', 'input', 'hidden', 'output', 'bias', 'residual', 'normalise']);
      checkBoolean(shape.bias ?? true, 'bias');
      const residual = checkBoolean(shape.residual ?? false, 'residual');
      if (residual && shape.input !== shape.output) {
        throw new GranuleError(
          'INVALID_ARGUMENT',
          `a residual tower adds its input: input, ${show(shape.input)}, must be output, ${show(shape.output)}`,
        );
      }
      return native(shape, shape.input, checkSize(shape.hidden, 'hidden'), shape.output, { residual });
    }
    default:
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `a tower's kind must be one of ${Object.keys(TOWER_KIND_CODES).join(', ')}, got ${show((shape as TowerShape | undefined)?.kind)}`,
      );
  }
}

/** The parameters of a shape that was checked, in order. */
export function towerTensors(shape: TowerShape): TowerTensor[] {
  if (shape.kind === 'low-rank') {
    return [
      { name: 'down', shape: [shape.rank, shape.dimension], role: 'hiddenWeight' },
      { name: 'up', shape: [shape.dimension, shape.rank], role: 'outputWeight' },
    ];
  }
  const biased = shape.bias ?? true;
  const layer = (prefix: string, to: number, from: number, role: 'hidden' | 'output'): TowerTensor[] => [
    { name: `${prefix}weight`, shape: [to, from], role: `${role}Weight` },
    ...(biased ? [{ name: `${prefix}bias`, shape: [to] as const, role: `${role}Bias` as const }] : []),
  ];
  return shape.kind === 'linear'
    ? layer('', shape.output, shape.input, 'output')
    : [
        ...layer('hidden.', shape.hidden, shape.input, 'hidden'),
        ...layer('output.', shape.output, shape.hidden, 'output'),
      ];
}

function native(
  shape: TowerShape,
  input: number,
  hidden: number,
  output: number,
  { scale = 1, residual = false }: { scale?: number; residual?: boolean },
): NativeTowerShape {
  const [from, to] = shape.kind === 'low-rank' ? ['dimension', 'dimension'] : ['input', 'output'];
  return {
    kind: TOWER_KIND_CODES[shape.kind],
    input: checkSize(input, from as string),
    hidden,
    output: checkSize(output, to as string),
    scale,
    residual,
    normalise: checkBoolean(shape.normalise ?? true, 'normalise'),
  };
}

function checkSize(size: number, name: string): number {
  if (!Number.isInteger(size) || size < 1 || size > MAX_DIMENSION) {
    throw new GranuleError(
      'DIMENSION_INVALID',
      `${name} must be an integer from 1 to ${MAX_DIMENSION}, got ${show(size)}`,
    );
  }
  return size;
}
