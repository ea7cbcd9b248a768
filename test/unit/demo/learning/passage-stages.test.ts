import { beforeAll, describe, expect, it } from 'vitest';
import { QUESTION_WORDINGS } from '../../../../src/demo/countries/question-wordings.js';
import { alignScores } from '../../../../src/demo/learning/align-scores.js';
import {
  type CountryKnowledge,
  countryKnowledge,
  knowledgeOf,
  trainedKnowledge,
} from '../../../../src/demo/learning/country-knowledge.js';
import { NEVER_TRAINED } from '../../../../src/demo/learning/never-trained.js';
import {
  type QuestionExamples,
  type QuestionSet,
  questionExamples,
} from '../../../../src/demo/learning/question-examples.js';
import { QuestionPassages } from '../../../../src/demo/learning/question-passages.js';
import { trainByRewards } from '../../../../src/demo/learning/train-by-rewards.js';
import { trainEntityTowers } from '../../../../src/demo/learning/train-entity-towers.js';
import { type JointParts, trainJointly } from '../../../../src/demo/learning/train-jointly.js';
import { trainQueryTower } from '../../../../src/demo/learning/train-query-tower.js';
import type { PictureViews } from '../../../../src/demo/learning/view-samples.js';
import { LAYOUT_DIMENSION } from '../../../../src/encoders/descriptor/layout-descriptor.js';
import { normaliseAnswer } from '../../../../src/generators/normalise-answer.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { answerLikelihood } from '../../../../src/training/reader/answer-likelihood.js';
import { PassageReadings } from '../../../../src/training/reader/passage-readings.js';
import { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import { Tower } from '../../../../src/training/towers/tower.js';
import { dot } from '../../../../src/vectors/dot.js';
import { matrix, matrixRow } from '../../../../src/vectors/matrix.js';
import { sameBits } from '../../training/towers/same-bits.js';
import { slowJointStage } from './slow-joint-stage.js';
import { alignmentSlopes, rewardSlopes, slowQuerySteps } from './slow-query-stages.js';

const DEPTH = 8;
const options = { seed: 1, threads: 1 };
const readings = new PassageReadings({ kept: 20_000 });

let all: CountryKnowledge;
/** Of a few countries that may be trained on. */
let knowledge: CountryKnowledge;
let examples: QuestionExamples;
let query: Tower;
let reader: SpanScorer;

beforeAll(async () => {
  all = await countryKnowledge();
  const few = trainedKnowledge(all).cca2.filter((_, row) => row % 18 === 0);
  knowledge = knowledgeOf(all, (cca2) => few.includes(cca2));
  examples = await questionExamples(knowledge);
  query = await trainQueryTower(knowledge, examples, options);
  reader = await SpanScorer.create({ kind: 'linear' });
}, 60_000);

/** How a tower ranks the passages of questions, and how likely the reader is to answer by the first. */
async function measured(tower: Tower, { questions, vectors }: QuestionSet = examples.dev) {
  using passages = await QuestionPassages.create(
    knowledge,
    { query: tower, reader },
    { depth: DEPTH, readings },
  );
  const found = await passages.find({ questions, vectors }, [...questions.keys()]);
  let [reciprocalRank, likelihood] = [0, 0];
  for (const [i, read] of found.passages.entries()) {
    const place = read.findIndex(({ row }) => questions[i]!.positives.includes(row));
    if (place >= 0) reciprocalRank += 1 / (place + 1);
    const { spanScores, right } = read[0]!;
    likelihood += Math.exp(answerLikelihood(spanScores, right, { floor: 1e-6 }).logLikelihood);
  }
  return { reciprocalRank: reciprocalRank / questions.length, likelihood: likelihood / questions.length };
}

function identity(): Promise<Tower> {
  return Tower.create(
    { kind: 'low-rank', dimension: knowledge.passages.columns, rank: 16 },
    { seed: 'identity' },
  );
}

function valuesOf({ parameters }: Pick<Tower, 'parameters'>) {
  return [...parameters].map(([name, { values }]) => [name, values.slice()] as const);
}

const bitsOf = (part: Pick<Tower, 'parameters'>) => valuesOf(part).map(([, values]) => values);

describe('examples of questions', () => {
  it('are in training wordings, about countries that may be trained on, answered by passages of their own', () => {
    const { train, dev } = examples;
    const asked = [...train.questions, ...dev.questions];
    expect(asked.length).toBeGreaterThan(400);
    for (const { kind, question, entity, answers, positives } of asked) {
      expect(QUESTION_WORDINGS[kind].training.some((wording) => question.endsWith(wording))).toBe(true);
      expect(QUESTION_WORDINGS[kind].evaluation.some((wording) => question.endsWith(wording))).toBe(false);
      expect(NEVER_TRAINED.has(knowledge.cca2[entity]!)).toBe(false);
      expect(positives.every((row) => knowledge.passageEntity[row] === entity)).toBe(true);
      expect(positives.length * answers.length).toBeGreaterThan(0);
    }
    const withLead = asked.filter(({ question }) => question.includes('flag') && /\. /u.test(question));
    expect(Math.abs(withLead.length / asked.length - 1 / 3)).toBeLessThan(0.1);
    expect(new Set(train.questions.map(({ entity }) => entity)).size).toBeGreaterThan(5);
    const devCountries = new Set(dev.questions.map(({ entity }) => entity));
    expect(devCountries.size).toBeGreaterThan(0);
    expect(train.questions.some(({ entity }) => devCountries.has(entity))).toBe(false);
    expect(dev.vectors.rows).toBe(dev.questions.length);
  });

  it('are refused where a country is never trained on', async () => {
    const [never] = NEVER_TRAINED;
    await expect(questionExamples(knowledgeOf(all, (cca2) => cca2 === never))).rejects.toThrow(
      `${never} is never`,
    );
    expect(trainedKnowledge(all).cca2).toHaveLength(all.cca2.length - NEVER_TRAINED.size);
  });
});

it('passages of a question are the best by its own vector, read for it, with the right candidates of its own', async () => {
  const { questions, vectors } = examples.train;
  using search = await QuestionPassages.create(knowledge, { query, reader }, { depth: 3, readings });
  const rows = [40, 3, 77];
  const { passages } = await search.find(examples.train, rows);
  for (const [i, row] of rows.entries()) {
    const { question, answers } = questions[row]!;
    const { data } = await query.encode(matrix(matrixRow(vectors, row).slice(), vectors.columns));
    const scores = knowledge.texts.map((_, passage) => dot(data, matrixRow(knowledge.passages, passage)));
    const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 3);
    expect(passages[i]!.map((one) => one.row)).toEqual(best);
    const accepted = answers.map(normaliseAnswer);
    for (const { row: passage, score, reading, spanScores, right } of passages[i]!) {
      expect(score).toBeCloseTo(scores[passage]!, 5);
      expect(reading).toEqual(readings.read(question, knowledge.texts[passage]!));
      expect(spanScores).toHaveLength(1 + reading.candidates.length);
      // The null answer never is.
      expect([...right]).toEqual([
        0,
        ...reading.candidates.map(({ normalised }) => Number(accepted.includes(normalised))),
      ]);
    }
  }
});

describe('the query tower', () => {
  it('ranks passages of countries better that it was not trained on', async () => {
    const before = await measured(await identity());
    const after = await measured(query);
    expect(before.reciprocalRank).toBeLessThan(0.8);
    expect(after.reciprocalRank).toBeGreaterThan(before.reciprocalRank + 0.1);
  });

  it('is the same bits again', async () => {
    const again = await trainQueryTower(knowledge, examples, { seed: 1, threads: 2 });
    expect(valuesOf(again)).toEqual(valuesOf(query));
  });
});

describe('joint training', () => {
  /** Pictures of two views of which one shows the flag: numbers of the country's own, and noise. */
  function madePictures(): PictureViews[] {
    const random = new SeededRandom('made pictures');
    const flags = new Map(knowledge.cca2.map((code) => [code, numbers(random, 1)]));
    return knowledge.cca2.flatMap((code) =>
      [0, 1, 0].map((shown) => {
        const vectors = new Float32Array(2 * LAYOUT_DIMENSION);
        const noise = numbers(random, 0.7);
        vectors.set(
          flags.get(code)!.map((value, i) => value + noise[i]!),
          shown * LAYOUT_DIMENSION,
        );
        vectors.set(numbers(random, 1), (1 - shown) * LAYOUT_DIMENSION);
        return {
          flags: [code],
          vectors,
          quads: new Float32Array(16),
          flagOf: Int8Array.of(-shown, shown - 1),
          best: [shown],
        };
      }),
    );
  }

  it('makes right answers likelier, leaves what it began with, and is the same bits again', async () => {
    const pictures = madePictures();
    const towers = await trainEntityTowers(pictures, knowledge.titleVectors, knowledge.cca2, {
      seed: 1,
      epochs: 1,
      learningRate: 1e-3,
      weightDecay: 0,
    });
    const start = { ...towers, query };
    const before = [valuesOf(towers.image), valuesOf(query)];
    const losses: number[] = [];
    const run = (threads: number): Promise<JointParts> =>
      trainJointly(knowledge, start, pictures, examples, {
        seed: 1,
        threads,
        readings,
        questions: 160,
        onStep: ({ loss }) => losses.push(loss),
      });
    const joint = await run(1);
    const mean = (some: readonly number[]) => some.reduce((sum, loss) => sum + loss, 0) / some.length;
    expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 10)) - 0.1);
    expect([valuesOf(towers.image), valuesOf(query)]).toEqual(before);
    for (const part of ['image', 'query'] as const)
      expect(valuesOf(joint[part])).not.toEqual(valuesOf(start[part]));
    const again = await run(2);
    for (const part of ['image', 'query', 'reader'] as const) {
      expect(valuesOf(again[part])).toEqual(valuesOf(joint[part]));
    }
  });

  it('asks about pictures by their best views, and takes the steps that are written down', async () => {
    const columns = knowledge.titleVectors.columns;
    const start = {
      image: await Tower.create({ kind: 'mlp', input: LAYOUT_DIMENSION, hidden: 8, output: 6 }),
      title: await Tower.create({ kind: 'linear', input: columns, output: 6, bias: false }),
      query,
    };
    const pictures = madePictures();
    const taught = { ...options, readings, questions: 20 };
    const joint = await trainJointly(knowledge, start, pictures, examples, taught);
    const { questions } = examples.train;
    const expected = await slowJointStage(knowledge, start, pictures, questions, 20, readings);
    for (const part of ['image', 'query', 'reader'] as const) {
      expect(sameBits(bitsOf(joint[part]), bitsOf(expected[part]))).toBe(true);
    }
  });

  function numbers(random: SeededRandom, scale: number): Float32Array {
    return Float32Array.from({ length: LAYOUT_DIMENSION }, () => random.uniform(-scale, scale) / 8);
  }
});

describe.each([
  ['score alignment', alignScores],
  ['rewards', trainByRewards],
] as const)('%s', (_, learn) => {
  it('brings passages forward by which the reader answers, and is the same bits again', async () => {
    const taught = { ...options, readings, questions: 320, learningRate: 5e-3 };
    const begin = await identity();
    const before = await measured(begin);
    const learned = await learn(knowledge, { query: begin, reader }, examples, taught);
    const after = await measured(learned);
    expect(after.likelihood).toBeGreaterThan(before.likelihood + 0.05);
    expect(after.reciprocalRank).toBeGreaterThan(before.reciprocalRank + 0.03);
    expect(valuesOf(begin)).toEqual(valuesOf(await identity()));
    const again = await learn(knowledge, { query: begin, reader }, examples, { ...taught, threads: 2 });
    expect(valuesOf(again)).toEqual(valuesOf(learned));
  });
});

it.each([
  ['score alignment', alignScores, ['aligned', 'score alignment'], alignmentSlopes],
  ['rewards', trainByRewards, ['rewarded', 'rewards'], rewardSlopes],
] as const)('%s takes the steps that are written down', async (_, learn, names, slopes) => {
  const parts = { query, reader };
  const taught = { ...options, readings, questions: 64, learningRate: 0.02 };
  const learned = await learn(knowledge, parts, examples, taught);
  const expected = await slowQuerySteps(
    names,
    knowledge,
    { ...parts, readings },
    examples.train,
    0.02,
    slopes,
  );
  expect(sameBits(bitsOf(learned), bitsOf(expected))).toBe(true);
  expect(sameBits(bitsOf(learned), bitsOf(query))).toBe(false);
});
