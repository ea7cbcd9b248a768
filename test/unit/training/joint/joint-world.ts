import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import type { JointExample, JointKnowledge } from '../../../../src/training/joint/joint-knowledge.js';
import { JointModel, type JointModelOptions } from '../../../../src/training/joint/joint-model.js';
import { SpanScorer, type SpanScorerOptions } from '../../../../src/training/reader/span-scorer.js';
import type { SpanScorerShape } from '../../../../src/training/reader/span-scorer-shape.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import type { TowerShape } from '../../../../src/training/towers/tower-shape.js';
import { matrix } from '../../../../src/vectors/matrix.js';

const ENTITIES = ['Aland', 'Bland', 'Cland', 'Dland', 'Eland', 'Fland'];
const TOPICS = ['capital', 'currency'] as const;
const CAPITALS = ['Moro', 'Tilo', 'Vanu', 'Kesa', 'Rabo', 'Suli'];
const CURRENCIES = ['crown', 'talent', 'drake', 'shell', 'florin', 'mark'];
const ENTITY_NUMBERS = 8;
/** A question's frozen vector: two numbers for its topic, then those of the title. */
export const TEXT_NUMBERS = 2 + ENTITY_NUMBERS;

function unit(values: readonly number[]): number[] {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

/** Rows that are orthogonal, each of length 1: Gram and Schmidt. */
function rotation(size: number, seed: string): number[][] {
  const random = new SeededRandom(seed);
  const rows: number[][] = [];
  while (rows.length < size) {
    let row = Array.from({ length: size }, () => random.normal());
    for (const other of rows) {
      const along = row.reduce((sum, value, i) => sum + value * other[i]!, 0);
      row = row.map((value, i) => value - along * other[i]!);
    }
    rows.push(unit(row));
  }
  return rows;
}

const turned = (by: readonly number[][], x: readonly number[]) =>
  by.map((row) => row.reduce((sum, value, i) => sum + value * x[i]!, 0));

const random = new SeededRandom('world');
const TITLES = ENTITIES.map(() => unit(Array.from({ length: ENTITY_NUMBERS }, () => random.normal())));
const PICTURES_LIE = rotation(ENTITY_NUMBERS, 'pictures');
const PASSAGES_LIE = rotation(TEXT_NUMBERS, 'passages');

/** The frozen vector of a question, expanded by a title or not. */
function textVector(text: string): number[] {
  const topic = TOPICS.map((word) => (text.includes(word) ? 0.8 : 0));
  const entity = ENTITIES.findIndex((title) => text.endsWith(` ${title}`));
  return unit([...topic, ...(entity === -1 ? new Array(ENTITY_NUMBERS).fill(0) : TITLES[entity]!)]);
}

/** A frozen encoder of texts, which knows topics and titles. */
export const ENCODER = {
  dimension: TEXT_NUMBERS,
  encodeQueries: async (texts: readonly string[]) => ({
    vectors: matrix(Float32Array.from(texts.flatMap(textVector)), TEXT_NUMBERS),
  }),
};

const facts = ENTITIES.flatMap((title, entity) =>
  TOPICS.map((topic) => ({
    topic,
    entity,
    answer: (topic === 'capital' ? CAPITALS : CURRENCIES)[entity]!,
    text:
      topic === 'capital'
        ? `${title}: places. The capital of ${title} is ${CAPITALS[entity]}.`
        : `${title}: money. The currency of ${title} is the ${CURRENCIES[entity]}.`,
  })),
);

/**
 * Six countries with two passages each. Passages lie where no expanded question lies, and pictures where no title lies: each is turned
 * by a rotation of its own, which a linear tower can undo.
 */
export const KNOWLEDGE: JointKnowledge = {
  entities: matrix(Float32Array.from(TITLES.flat()), ENTITY_NUMBERS),
  titles: ENTITIES,
  passages: matrix(
    Float32Array.from(
      facts.flatMap(({ topic, entity }) => turned(PASSAGES_LIE, textVector(`${topic} ${ENTITIES[entity]}`))),
    ),
    TEXT_NUMBERS,
  ),
  texts: facts.map(({ text }) => text),
};

/** A question about each fact, each with pictures of its own. */
export function examples(pictures: number, seed: string): JointExample[] {
  const noise = new SeededRandom(seed);
  return facts.flatMap(({ topic, entity, answer }) =>
    Array.from({ length: pictures }, () => ({
      question: `What is the ${topic}?`,
      picture: Float32Array.from(turned(PICTURES_LIE, TITLES[entity]!), (x) => x + 0.05 * noise.normal()),
      answers: [answer],
    })),
  );
}

export interface WorldOptions {
  readonly entity?: TowerShape;
  readonly query?: TowerShape;
  readonly reader?: SpanScorerShape;
  readonly readerOptions?: SpanScorerOptions;
  readonly model?: JointModelOptions;
}

export async function jointModel(options: WorldOptions = {}): Promise<JointModel> {
  const linear = (size: number): TowerShape => ({ kind: 'linear', input: size, output: size, bias: false });
  return JointModel.create(
    KNOWLEDGE,
    {
      entity: await Tower.create(options.entity ?? linear(ENTITY_NUMBERS), { seed: 'entity' }),
      query: await Tower.create(options.query ?? linear(TEXT_NUMBERS), { seed: 'query' }),
      reader: await SpanScorer.create(options.reader ?? { kind: 'linear' }, options.readerOptions),
      encoder: ENCODER,
    },
    { entityCount: 3, passageCount: 2, ...options.model },
  );
}
