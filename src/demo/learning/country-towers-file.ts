import { join } from 'node:path';
import { CANDIDATE_FEATURES } from '../../generators/extractive/candidate-features.js';
import { NULL_FEATURES } from '../../generators/extractive/read-passage.js';
import packageRoot from '../../native/package-root.cjs';
import { type FileTensor, readTensorFile, writeTensorFile } from '../../training/files/tensor-file.js';
import {
  invalidTrainingFile,
  parseObject,
  type TensorPlan,
} from '../../training/files/tensor-file-header.js';
import { type SpanScorerShape, spanScorerTowers } from '../../training/reader/span-scorer-shape.js';
import { checkTowerShape, type TowerShape, towerTensors } from '../../training/towers/tower-shape.js';
import type { AdaptedEncoder } from '../../training/trainer/adapter.js';
import {
  COUNTRY_PARTS,
  COUNTRY_STAGES,
  type CountryStage,
  type CountryTowers,
  partsOf,
  stageOf,
} from './country-towers.js';

/** All that was trained from one seed. */
export interface TrainedCountries {
  readonly seed: number;
  /** In the order of `COUNTRY_STAGES`. */
  readonly stages: readonly CountryStage[];
  /** Whose text vectors the towers map, with the SHA-256 of what it learned from the passages. */
  readonly textEncoder: AdaptedEncoder;
  /** SHA-256 of all that was trained on, in hexadecimal. */
  readonly data: string;
  /** Of the machine that trained; on another one the last bits of weights may differ. */
  readonly instructionSet: string;
}

const FORMAT = {
  name: 'granule-country-towers',
  version: '1',
  holds: 'the towers of the countries',
} as const;
const FEATURES = [...CANDIDATE_FEATURES, ...NULL_FEATURES].join(' ');

type Part = keyof CountryTowers;
type Shapes = Partial<Record<Part, TowerShape | SpanScorerShape>>;

/** The file of a seed's towers that comes with the package. */
export function shippedCountryTowers(seed: number): string {
  return join(packageRoot(), 'models', 'countries', countryTowersName(seed));
}

/** How the file of a seed's towers is called. */
export function countryTowersName(seed: number): string {
  return `seed-${seed}.safetensors`;
}

/**
 * Writes what was trained from one seed as one `.safetensors` file: tensors `stage-2.query.down`, ..., of each stage those that it changed; in
 * the metadata the stages' names, the shapes, the encoder of texts and the SHA-256 of the data. The same content is the same bytes; after a crash
 * the whole file, or what was there before, is there.
 *
 * @throws GranuleError `NOT_FINITE`, `FILE_NOT_WRITABLE`, `ABORTED`
 */
export async function writeCountryTowers(
  file: string,
  { seed, stages, textEncoder, data, instructionSet }: TrainedCountries,
  signal?: AbortSignal,
): Promise<void> {
  const shapes = stages.map(
    (stage): Shapes => Object.fromEntries(partsOf(stage).map(([part, { shape }]) => [part, shape])),
  );
  const metadata = {
    seed: String(seed),
    stages: JSON.stringify(COUNTRY_STAGES),
    shapes: JSON.stringify(shapes),
    features: FEATURES,
    textEncoder: JSON.stringify(textEncoder),
    data,
    instructionSet,
  };
  await writeTensorFile(file, FORMAT, { tensors: tensorsOf(stages), metadata }, signal);
}

/**
 * Reads what {@link writeCountryTowers} wrote.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `TRAINING_FILE_INVALID` for a file that is damaged, of other stages, or something else; `ABORTED`
 */
export async function readCountryTowers(file: string, signal?: AbortSignal): Promise<TrainedCountries> {
  const { tensors, metadata } = await readTensorFile(
    file,
    FORMAT,
    (texts) => planOf(shapesOf(texts, file), file),
    signal,
  );
  const stages = shapesOf(metadata, file).map((shapes, i) =>
    stageOf(
      Object.fromEntries(
        Object.entries(shapes).map(([part, shape]) => [
          part,
          { shape, values: valuesOf(prefixOf(i, part), tensors) },
        ]),
      ),
    ),
  );
  const textEncoder = parseObject(metadata['textEncoder'], file, "metadata 'textEncoder'");
  return {
    seed: Number(metadata['seed']),
    stages,
    textEncoder: textEncoder as unknown as AdaptedEncoder,
    data: metadata['data'] ?? '',
    instructionSet: metadata['instructionSet'] ?? '',
  };
}

/** All tensors of a training, by their names in a file. */
export function tensorsOf(
  stages: readonly CountryStage[],
): Map<string, FileTensor & { readonly values: Float32Array }> {
  return new Map(
    stages.flatMap((stage, i) =>
      partsOf(stage).flatMap(([part, { parameters }]) =>
        [...parameters].map(([name, tensor]) => [`${prefixOf(i, part)}${name}`, tensor] as const),
      ),
    ),
  );
}

function prefixOf(stage: number, part: string): string {
  return `stage-${stage + 1}.${part}.`;
}

/** @throws GranuleError `TRAINING_FILE_INVALID` */
function shapesOf(metadata: Readonly<Record<string, string>>, file: string): readonly Shapes[] {
  if (metadata['stages'] !== JSON.stringify(COUNTRY_STAGES)) {
    throw invalidTrainingFile(file, `has the stages ${metadata['stages']}, and this Granule has others`);
  }
  if (metadata['features'] !== FEATURES) throw invalidTrainingFile(file, 'has a reader of other features');
  // As an object, which is what `parseObject` takes.
  const { shapes } = parseObject(`{"shapes":${metadata['shapes']}}`, file, "metadata 'shapes'");
  const known = (stage: unknown) =>
    typeof stage === 'object' &&
    stage !== null &&
    Object.keys(stage).every((part) => COUNTRY_PARTS.includes(part as Part));
  if (!Array.isArray(shapes) || shapes.length !== COUNTRY_STAGES.length || !shapes.every(known)) {
    throw invalidTrainingFile(file, 'does not say what each stage has changed');
  }
  const [first] = shapes as Shapes[];
  if (first!.image === undefined || first!.title === undefined) {
    throw invalidTrainingFile(file, 'has no towers of images and titles in its first stage');
  }
  return shapes;
}

/** @throws GranuleError `TRAINING_FILE_INVALID` */
function planOf(stages: readonly Shapes[], file: string): TensorPlan[] {
  try {
    return stages.flatMap((shapes, i) =>
      Object.entries(shapes).flatMap(([part, shape]) =>
        tensorPlans(part as Part, shape).map(({ name, shape: size }) => ({
          name: `${prefixOf(i, part)}${name}`,
          dtype: 'F32' as const,
          shape: size,
        })),
      ),
    );
  } catch (cause) {
    throw invalidTrainingFile(file, `has no shape of a tower: ${(cause as Error).message}`, {}, cause);
  }
}

function tensorPlans(
  part: Part,
  shape: TowerShape | SpanScorerShape,
): { name: string; shape: readonly number[] }[] {
  if (part !== 'reader') {
    checkTowerShape(shape as TowerShape);
    return towerTensors(shape as TowerShape);
  }
  return Object.entries(spanScorerTowers(shape as SpanScorerShape)).flatMap(([owner, tower]) => {
    checkTowerShape(tower);
    return towerTensors(tower).map((tensor) => ({ ...tensor, name: `${owner}.${tensor.name}` }));
  });
}

function valuesOf(prefix: string, tensors: ReadonlyMap<string, FileTensor>): Record<string, Float32Array> {
  return Object.fromEntries(
    [...tensors].flatMap(([name, { values }]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values as Float32Array]] : [],
    ),
  );
}
