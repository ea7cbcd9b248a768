import type { EventLoopTurns } from '../../../approximate/event-loop-turns.js';
import type { Parameter } from '../../towers/parameter.js';
import type { Tower } from '../../towers/tower.js';
import type { GraphPart } from './graph-part.js';
import type { OnnxConstant } from './onnx-messages.js';

const NUMBERS_PER_LOOK = 1 << 14;

/**
 * Adds a tower to `graph`: MatMul, Add, Relu, and the norm. Weights are transposed here, so that MatMul maps the last dimension of its
 * input, of whichever rank that is.
 *
 * @param input - float32 vectors
 * @param rank - dimensions of the input; undefined: not known
 * @returns the name of the mapped vectors
 * @throws GranuleError `ABORTED`
 */
export async function addTower(
  graph: GraphPart,
  tower: Tower,
  input: string,
  rank: number | undefined,
  turns: EventLoopTurns,
): Promise<string> {
  const product = async (from: string, weight: string, scale = 1) => {
    const numbers = await transposed(tower.parameters.get(weight)!, scale, turns);
    return graph.apply('MatMul', [from, graph.constant(weight, numbers)]);
  };
  const layer = async (from: string, prefix: string) => {
    const mapped = await product(from, `${prefix}weight`);
    const bias = tower.parameters.get(`${prefix}bias`);
    if (bias === undefined) return mapped;
    const numbers = graph.constant(`${prefix}bias`, { dims: bias.shape, data: bias.values });
    return graph.apply('Add', [mapped, numbers]);
  };
  const { shape } = tower;
  let mapped: string;
  if (shape.kind === 'linear') {
    mapped = await layer(input, '');
  } else if (shape.kind === 'low-rank') {
    const few = await product(input, 'down');
    mapped = graph.apply('Add', [input, await product(few, 'up', shape.scale)]);
  } else {
    mapped = await layer(graph.apply('Relu', [await layer(input, 'hidden.')]), 'output.');
    if (shape.residual) mapped = graph.apply('Add', [input, mapped]);
  }
  return (shape.normalise ?? true) ? graph.normalise(mapped, rank) : mapped;
}

/** A weight [to, from] as [from, to], each number times `scale`. */
async function transposed(
  { shape, values }: Parameter,
  scale: number,
  turns: EventLoopTurns,
): Promise<Omit<OnnxConstant, 'name'>> {
  const [to, from] = shape as readonly [number, number];
  const data = new Float32Array(values.length);
  for (let row = 0, done = 0; row < to; row++, done += from) {
    if (done % NUMBERS_PER_LOOK < from && turns.over) await turns.pass();
    for (let column = 0; column < from; column++) {
      data[column * to + row] = scale * values[row * from + column]!;
    }
  }
  return { dims: [from, to], data };
}
