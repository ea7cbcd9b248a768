import { GranuleError } from '../../errors.js';
import type { OnnxSession, OnnxTensor } from './onnx-session.js';

/** An output of a model by its name and the dimensions that a trial run gave. */
export interface OnnxOutput {
  readonly name: string;
  readonly dims: readonly number[];
}

/** How an output is chosen. */
export interface OutputChoice {
  /** What it is for, in the error: 'embedding', 'patch features'. */
  readonly role: string;
  readonly rank: 2 | 3;
  /** The user's choice. */
  readonly name?: string | undefined;
  /** Names that decide, in this order, where several outputs have the rank. */
  readonly preferred: readonly string[];
}

/**
 * Chooses an output of rank `rank` from those of a trial run: the one that was asked for by name, else the only float32
 * output of that rank, else the first of `preferred`; undefined where the model has none of that rank.
 *
 * @throws GranuleError `MODEL_INVALID` where the named one is missing, has another rank or type, or where several could
 * be meant
 */
export function chooseOutput(
  session: OnnxSession,
  trial: Readonly<Record<string, OnnxTensor>>,
  { role, rank, name, preferred }: OutputChoice,
): OnnxOutput | undefined {
  const described = Object.entries(trial).map(([key, { type, dims }]) => `${key} ${type}[${dims.join(',')}]`);
  const invalid = (problem: string) =>
    new GranuleError(
      'MODEL_INVALID',
      `the model ${session.file} ${problem}; its outputs: ${described.join(', ')}`,
      {
        file: session.file,
        outputs: described,
      },
    );
  if (name !== undefined) {
    const output = trial[name];
    if (output === undefined) throw invalid(`has no output '${name}' (${role})`);
    if (output.dims.length !== rank) {
      throw invalid(`has the wrong rank in output '${name}' (${role}): ${output.dims.length}, not ${rank}`);
    }
    if (output.type !== 'float32')
      throw invalid(`gives ${output.type} in output '${name}' (${role}), not float32`);
    return { name, dims: output.dims };
  }
  const candidates = Object.keys(trial).filter(
    (key) => trial[key]!.dims.length === rank && trial[key]!.type === 'float32',
  );
  const chosen = candidates.length > 1 ? preferred.find((key) => candidates.includes(key)) : candidates[0];
  if (chosen !== undefined) return { name: chosen, dims: trial[chosen]!.dims };
  if (candidates.length > 1)
    throw invalid(`has several outputs that may be the ${role} (rank ${rank}): name one`);
  return undefined;
}
