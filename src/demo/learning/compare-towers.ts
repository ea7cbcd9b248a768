import { type TrainedCountries, tensorsOf } from './country-towers-file.js';

/** How a tensor of one training compares with the same of another. */
export interface TensorComparison {
  readonly name: string;
  /** Numbers that differ in any bit; all, where only one of the two has the tensor or it has another size. */
  readonly differing: number;
  readonly numbers: number;
  /** Of the differences the greatest; infinite where there is nothing to compare. */
  readonly greatest: number;
}

/** How one training compares with another. */
export interface TowersComparison {
  readonly seed: number;
  /** Whether both were trained on the same examples, bit for bit. */
  readonly sameData: boolean;
  /** Whether both were trained by the same instruction set. */
  readonly sameInstructionSet: boolean;
  readonly tensors: readonly TensorComparison[];
}

/** Compares every tensor of two trainings of one seed, bit by bit. */
export function compareTowers(made: TrainedCountries, known: TrainedCountries): TowersComparison {
  const [own, other] = [tensorsOf(made.stages), tensorsOf(known.stages)];
  const names = [...new Set([...own.keys(), ...other.keys()])];
  return {
    seed: made.seed,
    sameData: made.data === known.data && made.textEncoder.hash === known.textEncoder.hash,
    sameInstructionSet: made.instructionSet === known.instructionSet,
    tensors: names.map((name) => ({ name, ...compared(own.get(name)?.values, other.get(name)?.values) })),
  };
}

function compared(own: Float32Array | undefined, other: Float32Array | undefined) {
  const numbers = Math.max(own?.length ?? 0, other?.length ?? 0);
  if (own?.length !== other?.length) {
    return { numbers, differing: numbers, greatest: Number.POSITIVE_INFINITY };
  }
  let differing = 0;
  let greatest = 0;
  for (let i = 0; i < numbers; i++) {
    // -0 is another number than 0 here: their bytes differ.
    if (Object.is(own![i], other![i])) continue;
    differing += 1;
    greatest = Math.max(greatest, Math.abs(own![i]! - other![i]!));
  }
  return { numbers, differing, greatest };
}
