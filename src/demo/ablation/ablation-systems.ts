import type { Passage } from '../../corpus/records.js';
import type { FittedTextEncoder, TextEncoder } from '../../encoders/encoder.js';
import { ExtractiveReader } from '../../generators/extractive/extractive-reader.js';
import { FlatIndex } from '../../index/flat-index.js';
import { DensePassageRetriever } from '../../retrievers/dense-passage-retriever.js';
import { MemoryPassageStore } from '../../retrievers/memory-passage-store.js';
import { PassageReadings } from '../../training/reader/passage-readings.js';
import { TrainedReader } from '../../training/reader/trained-reader.js';
import { adaptedTextEncoder } from '../../training/trainer/adapted-text-encoder.js';
import type { Matrix } from '../../vectors/matrix.js';
import { type CountryTowers, towersAfter } from '../learning/country-towers.js';
import type { TrainedCountries } from '../learning/country-towers-file.js';
import type { EncodedEntityRetriever } from '../learning/encoded-entity-retriever.js';
import type { TitleEntityRetriever } from '../learning/title-entity-retriever.js';
import type { AnsweringParts } from '../score-answer.js';
import { AnswersOnce, EntitiesOnce, PassagesOnce, queriesOnce } from './remembering-parts.js';

/** What all systems have in common. */
export interface AblationGround {
  readonly passages: readonly Passage[];
  readonly passageVectors: Matrix;
  /** Fitted to the passages. */
  readonly textEncoder: FittedTextEncoder;
  /** Pictures to entities without anything that was learned. */
  readonly untrained: EncodedEntityRetriever;
  /** Pictures to entities by their titles. */
  readonly titles: (towers: CountryTowers) => Promise<TitleEntityRetriever>;
  /** Pictures to entities with what was learned. */
  readonly trained: (towers: CountryTowers, titles: TitleEntityRetriever) => EncodedEntityRetriever;
}

/** A row of the table, or a seed's share of one. */
export interface AblationSystem extends AnsweringParts {
  readonly entities: EncodedEntityRetriever;
}

/** All systems of the table. */
export interface AblationSystems {
  readonly untrained: AblationSystem;
  /** Per seed, in the order in which they were given, the systems after each stage. */
  readonly trained: readonly (readonly AblationSystem[])[];
  dispose(): void;
}

/** Passages are measured so deep. */
const DEPTH = 20;
/** An adapter has one; nothing here asks for it. */
const TEMPERATURE = 1;

/**
 * The system without anything learned, and for each seed those after each stage. Systems that do not differ in a part share it.
 *
 * @throws GranuleError `ENCODER_MISMATCH` where towers were trained on other text vectors
 */
export async function ablationSystems(
  ground: AblationGround,
  seeds: readonly TrainedCountries[],
): Promise<AblationSystems> {
  const { passages, passageVectors } = ground;
  const textEncoder = queriesOnce(ground.textEncoder);
  const index = new FlatIndex({ dimension: textEncoder.dimension });
  await index.add(passageVectors);
  const store = new MemoryPassageStore({ index, passages });
  const searching = (encoder: TextEncoder) =>
    new PassagesOnce(new DensePassageRetriever({ encoder, store }), DEPTH);
  const untrained: AblationSystem = {
    entities: new EntitiesOnce(ground.untrained),
    passages: searching(textEncoder),
    generator: new AnswersOnce(new ExtractiveReader()),
  };
  const readings = new PassageReadings();
  const trained: AblationSystem[][] = [];
  for (const { stages, textEncoder: encoder } of seeds) {
    let system = untrained;
    let titles: TitleEntityRetriever | undefined;
    const systems: AblationSystem[] = [];
    for (const [i, { image, title, where, query, reader }] of stages.entries()) {
      const towers = towersAfter(stages, i + 1);
      const sees = image !== undefined || title !== undefined;
      if (titles === undefined || sees) titles = await ground.titles(towers);
      system = {
        entities:
          sees || where !== undefined ? new EntitiesOnce(ground.trained(towers, titles)) : system.entities,
        passages: query
          ? searching(adaptedTextEncoder(textEncoder, { query, temperature: TEMPERATURE, encoder }))
          : system.passages,
        generator: reader
          ? new AnswersOnce(new TrainedReader({ shape: reader.shape, values: reader.values }, readings))
          : system.generator,
      };
      systems.push(system);
    }
    trained.push(systems);
  }
  return { untrained, trained, dispose: () => store.dispose() };
}
