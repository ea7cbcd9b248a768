import { GranuleError } from '../../errors.js';
import type { OnnxSession, OnnxTensor } from './onnx-session.js';
import type { TokenizedText } from './onnx-tokenizer.js';

/** Inputs of a text model that are known here; `input_ids` is required. */
const INPUT_NAMES = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];

/** What a text model's inputs say: which there are, of which type, and the shape where it is fixed. */
export interface TokenInputs {
  readonly types: ReadonlyMap<string, string>;
  readonly fixedBatch: number | undefined;
  readonly fixedLength: number | undefined;
}

/**
 * Reads the inputs of a text model.
 *
 * @throws GranuleError `MODEL_INVALID` where `input_ids` is missing, another input is unknown, or one has a wrong rank or
 * type
 */
export function tokenInputs(session: OnnxSession): TokenInputs {
  const invalid = (problem: string) =>
    new GranuleError('MODEL_INVALID', `the model ${session.file} ${problem}`, { file: session.file });
  const types = new Map<string, string>();
  for (const { name, type, shape } of session.inputs) {
    if (!INPUT_NAMES.includes(name))
      throw invalid(`needs an input '${name}', which a text encoder does not have`);
    if (shape?.length !== 2) throw invalid(`has the wrong rank in input '${name}': ${shape?.length}, not 2`);
    if (type !== 'int64' && type !== 'int32')
      throw invalid(`takes ${type} in input '${name}', not int64 or int32`);
    types.set(name, type);
  }
  if (!types.has('input_ids')) throw invalid("has no input 'input_ids'");
  const [batch, length] = session.inputs.find(({ name }) => name === 'input_ids')!.shape!;
  return {
    types,
    fixedBatch: typeof batch === 'number' ? batch : undefined,
    fixedLength: typeof length === 'number' ? length : undefined,
  };
}

/**
 * The tensors for a batch of texts, padded at the end to the longest (or to the model's fixed shape). Padding has the
 * mask 0; token types are 0; positions count from 0.
 */
export function tokenFeeds(
  inputs: TokenInputs,
  texts: readonly TokenizedText[],
  padId: number,
): Record<string, OnnxTensor> {
  const rows = inputs.fixedBatch ?? texts.length;
  const columns = inputs.fixedLength ?? Math.max(1, ...texts.map(({ ids }) => ids.length));
  const feeds: Record<string, OnnxTensor> = {};
  for (const [name, type] of inputs.types) {
    const numbers = new Int32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const ids = texts[row]?.ids ?? [];
      for (let column = 0; column < columns; column++) {
        numbers[row * columns + column] = inputValue(name, ids, column, padId);
      }
    }
    const data = type === 'int64' ? BigInt64Array.from(numbers, BigInt) : numbers;
    feeds[name] = { type, data, dims: [rows, columns] };
  }
  return feeds;
}

function inputValue(name: string, ids: readonly number[], column: number, padId: number): number {
  if (name === 'input_ids') return ids[column] ?? padId;
  if (name === 'attention_mask') return column < ids.length ? 1 : 0;
  return name === 'position_ids' ? column : 0;
}
