import { CANDIDATE_FEATURES } from '../../generators/extractive/candidate-features.js';
import { NULL_FEATURES } from '../../generators/extractive/read-passage.js';
import { readTensorFile, writeTensorFile } from '../files/tensor-file.js';
import { invalidTrainingFile, parseObject, type TensorPlan } from '../files/tensor-file-header.js';
import { checkTowerShape, towerTensors } from '../towers/tower-shape.js';
import { SpanScorer } from './span-scorer.js';
import { type SpanScorerShape, spanScorerTowers } from './span-scorer-shape.js';

const FORMAT = { name: 'granule-span-scorer', version: '1', holds: 'a span scorer of Granule' } as const;
const FEATURES = [...CANDIDATE_FEATURES, ...NULL_FEATURES].join(' ');

/**
 * Writes a scorer as one `.safetensors` file: its parameters, float32; in the metadata its shape as JSON, the names of the features, for weights
 * mean nothing for others, and a SHA-256 over everything. After a crash the whole file or what was there before is there. The same
 * scorer gives the same bytes.
 *
 * @param file - by custom with the ending `.safetensors`
 * @throws GranuleError `NOT_FINITE`, `FILE_NOT_WRITABLE`
 */
export async function writeSpanScorer(file: string, scorer: SpanScorer): Promise<void> {
  const metadata = { shape: JSON.stringify(scorer.shape), features: FEATURES };
  await writeTensorFile(file, FORMAT, { tensors: scorer.parameters, metadata });
}

/**
 * Reads a scorer that `writeSpanScorer` wrote.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for a file that is cut off, altered, is none, holds numbers that are not finite, or has
 * weights of other features than this version's
 */
export async function readSpanScorer(file: string): Promise<SpanScorer> {
  const { tensors, metadata } = await readTensorFile(file, FORMAT, ({ shape, features }) => {
    if (features !== FEATURES) throw invalidTrainingFile(file, 'has the weights of other features');
    return tensorsOf(shapeOf(shape, file), file);
  });
  const values = [...tensors].map(([name, tensor]) => [name, tensor.values]);
  return SpanScorer.from(shapeOf(metadata['shape'], file), Object.fromEntries(values));
}

function shapeOf(text: string | undefined, file: string): SpanScorerShape {
  return parseObject(text, file, "metadata 'shape'") as unknown as SpanScorerShape;
}

function tensorsOf(shape: SpanScorerShape, file: string): TensorPlan[] {
  try {
    return Object.entries(spanScorerTowers(shape)).flatMap(([owner, tower]) => {
      checkTowerShape(tower);
      return towerTensors(tower).map((tensor) => ({
        name: `${owner}.${tensor.name}`,
        dtype: 'F32' as const,
        shape: tensor.shape,
      }));
    });
  } catch (cause) {
    throw invalidTrainingFile(file, `has no shape of a span scorer: ${(cause as Error).message}`, {}, cause);
  }
}
