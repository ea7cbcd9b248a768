import { SpanScorer } from '../../training/reader/span-scorer.js';
import type { SpanScorerShape } from '../../training/reader/span-scorer-shape.js';
import { Tower } from '../../training/towers/tower.js';
import type { TowerShape } from '../../training/towers/tower-shape.js';

/** What was learned on the countries. */
export interface CountryTowers {
  /** Views of pictures into the space of titles. */
  readonly image: Tower;
  /** Titles' text vectors into the space of views. */
  readonly title: Tower;
  /** Vectors of questions, expanded by a title, onto those of passages. */
  readonly query: Tower | undefined;
  /** Scores of a passage's candidate answers. */
  readonly reader: SpanScorer | undefined;
  /** Vectors of questions to the places in a picture that they ask about. */
  readonly where: Tower | undefined;
}

/** The parts that a stage has changed; those that it leaves out are as the stage before left them. */
export type CountryStage = { readonly [Part in keyof CountryTowers]?: NonNullable<CountryTowers[Part]> };

/** The stages of training in their order, by the names that the table of the demo gives them. */
export const COUNTRY_STAGES = [
  'entity tower',
  'query tower',
  'joint (eq. 6)',
  'patch-level',
  'score alignment',
  'GRPO',
] as const;

/** The seeds whose towers are shipped. */
export const COUNTRY_SEEDS: readonly number[] = [1, 2, 3];

/**
 * What there is after a stage: of each part the latest one.
 *
 * @param stages - in the order of `COUNTRY_STAGES`; the first has the towers of images and titles
 * @param stage - 1 to the number of stages
 */
export function towersAfter(stages: readonly CountryStage[], stage: number): CountryTowers {
  const { image, title, query, reader, where }: CountryStage = Object.assign({}, ...stages.slice(0, stage));
  return { image: image!, title: title!, query, reader, where };
}

/** The parts, in the order in which files have them. */
export const COUNTRY_PARTS: readonly (keyof CountryTowers)[] = ['image', 'title', 'query', 'reader', 'where'];

/** A part as plain data, on its way between threads or from a file. */
export interface PlainPart {
  readonly shape: TowerShape | SpanScorerShape;
  /** By the parameters' names. */
  readonly values: Readonly<Record<string, Float32Array>>;
}

/** A stage as plain data. */
export type PlainStage = { readonly [Part in keyof CountryTowers]?: PlainPart };

/** The parts that a stage has. */
export function partsOf(stage: CountryStage): [part: keyof CountryTowers, made: Tower | SpanScorer][] {
  return COUNTRY_PARTS.flatMap((part) => (stage[part] === undefined ? [] : [[part, stage[part]]]));
}

/** A stage as plain data; the arrays are the parts' own. */
export function plainStage(stage: CountryStage): PlainStage {
  return Object.fromEntries(
    partsOf(stage).map(([part, { shape, parameters }]) => {
      const values = Object.fromEntries([...parameters].map(([name, tensor]) => [name, tensor.values]));
      return [part, { shape, values }];
    }),
  );
}

/**
 * A stage of plain data; the arrays become the parts' own.
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`
 */
export function stageOf(plain: PlainStage): CountryStage {
  return Object.fromEntries(
    Object.entries(plain).map(([part, { shape, values }]) => [
      part,
      part === 'reader'
        ? SpanScorer.from(shape as SpanScorerShape, values)
        : Tower.from(shape as TowerShape, values),
    ]),
  );
}
