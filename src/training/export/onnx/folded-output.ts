import { GranuleError } from '../../../errors.js';
import type { Tower } from '../../towers/tower.js';
import type { GraphOutput, OnnxGraph } from './onnx-graph.js';
import { ELEMENTS } from './onnx-messages.js';

/** The first version of ONNX's operators in which Max and the others broadcast. */
const LEAST_OPERATOR_SET = 8;
/** From this version on an axis may be counted from the end, so that the rank need not be known. */
const AXES_FROM_END = 11;

const TYPES: readonly number[] = [ELEMENTS.float32, ELEMENTS.float16, ELEMENTS.float64, ELEMENTS.bfloat16];

/**
 * The output that a tower maps: the one that is wanted, else the only one that the tower fits.
 *
 * @param pooled - whether one vector is made of token vectors first
 * @throws GranuleError `MODEL_INVALID`, without the file's name
 */
export function chooseFoldedOutput(
  graph: OnnxGraph,
  tower: Tower,
  { wanted, pooled }: { readonly wanted: string | undefined; readonly pooled: boolean },
): GraphOutput {
  const { operatorSet, outputs } = graph;
  const described = outputs.map(describe);
  const refuse = (what: string) =>
    new GranuleError('MODEL_INVALID', `${what}; its outputs: ${described.join(', ')}`, {
      outputs: described,
    });
  if (operatorSet < LEAST_OPERATOR_SET) {
    throw refuse(
      `uses version ${operatorSet} of the operators of ONNX, and a tower needs ${LEAST_OPERATOR_SET} or later`,
    );
  }
  if (wanted === undefined) {
    const fitting = outputs.filter((output) => misfit(output, tower, operatorSet, pooled) === undefined);
    if (fitting.length === 1) return fitting[0]!;
    throw refuse(
      fitting.length === 0
        ? `has no output of vectors of ${tower.input} numbers, which the tower maps`
        : `has several outputs of vectors of ${tower.input} numbers: name the one whose vectors the tower was trained on`,
    );
  }
  const output = outputs.find(({ name }) => name === wanted);
  if (output === undefined) throw refuse(`has no output '${wanted}'`);
  const problem = misfit(output, tower, operatorSet, pooled);
  if (problem !== undefined) throw refuse(`has an output '${wanted}' that ${problem}`);
  return output;
}

/** Why a tower cannot map an output; undefined where it can. */
function misfit(
  { element, dims, columns }: GraphOutput,
  tower: Tower,
  operatorSet: number,
  pooled: boolean,
): string | undefined {
  if (!TYPES.includes(element)) return 'holds no floating-point numbers';
  if (dims === undefined && operatorSet < AXES_FROM_END) {
    return `does not say how many dimensions it has, as it must in version ${operatorSet} of the operators`;
  }
  if (dims !== undefined && dims.length !== 2 && dims.length !== 3) {
    return `has ${dims.length} dimensions, and vectors have 2, those of tokens or patches 3`;
  }
  if (pooled && dims?.length === 2) return 'has 2 dimensions, and token vectors to pool have 3';
  if (columns !== undefined && columns !== tower.input) {
    return `gives vectors of ${columns} numbers, and the tower maps vectors of ${tower.input}`;
  }
  return undefined;
}

function describe({ name, element, dims, columns }: GraphOutput): string {
  const type = Object.entries(ELEMENTS).find(([, code]) => code === element)?.[0] ?? `type ${element}`;
  if (dims === undefined) return `${name} ${type}`;
  const sizes = dims.map((_, i) => (i === dims.length - 1 ? (columns ?? '?') : '?'));
  return `${name} ${type}[${sizes.join(',')}]`;
}
