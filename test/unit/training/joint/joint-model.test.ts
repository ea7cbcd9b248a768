import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import type { JointPart } from '../../../../src/training/joint/joint-knowledge.js';
import { type JointLearnOptions, JointModel } from '../../../../src/training/joint/joint-model.js';
import { PassageReadings } from '../../../../src/training/reader/passage-readings.js';
import { matrix, matrixRow } from '../../../../src/vectors/matrix.js';
import { valuesOf } from '../reader/slow-span-scores.js';
import { ENCODER, examples, jointModel, KNOWLEDGE, TEXT_NUMBERS, type WorldOptions } from './joint-world.js';
import { slowJointLoss } from './slow-joint-loss.js';

const EXAMPLES = examples(1, 'model');
const WORLDS: readonly WorldOptions[] = [
  {},
  {
    entity: { kind: 'mlp', input: 8, hidden: 6, output: 8 },
    query: { kind: 'low-rank', dimension: TEXT_NUMBERS, rank: 3, scale: 0.5 },
    reader: { kind: 'mlp', hidden: 3 },
    model: { entityTemperature: 0.3, passageTemperature: 0.2 },
  },
];
const PARTS: readonly JointPart[] = ['entity', 'query', 'reader'];

/** All of whose parameters are random; the reader's stay near what they were. */
async function randomModel(world: WorldOptions): Promise<JointModel> {
  const model = await jointModel(world);
  const random = new SeededRandom('parameters');
  for (const [name, { values }] of model.parameters()) {
    const scale = name.startsWith('reader') ? 0.3 : 0.6;
    const [kept, added] = name.startsWith('reader') ? [1, scale] : [0, scale];
    values.set(values.map((value) => kept * value + added * random.normal()));
  }
  return model;
}

const gradientsOf = (model: JointModel, part: JointPart) =>
  [...model.parts[part].parameters.values()].map(({ gradient }) => gradient.slice());

describe.each(WORLDS)('the joint loss, world %#', (world) => {
  it.each<Required<Pick<JointLearnOptions, 'form' | 'readerWeight' | 'floor'>>>([
    { form: 'marginal', readerWeight: 1, floor: 1e-6 },
    { form: 'paths', readerWeight: 0.25, floor: 1e-2 },
  ])('is what its formula says, with the gradients of finite differences: %o', async (options) => {
    const model = await randomModel(world);
    const some = EXAMPLES.slice(2, 6);
    const paths = await model.find(some);
    const found = await model.learn(some, options);
    expect(found.reached).toBeGreaterThan(0);
    const values = {
      entity: valuesOf(model.parts.entity),
      query: valuesOf(model.parts.query),
      reader: valuesOf(model.parts.reader),
    };
    const loss = await slowJointLoss(model, values, paths, some, options as never);
    expect(Math.abs(found.loss - loss())).toBeLessThan(1e-5 * found.loss);
    const random = new SeededRandom('places');
    let compared = 0;
    for (const part of PARTS) {
      for (const [name, { gradient }] of model.parts[part].parameters) {
        const numbers = values[part][name]!;
        const greatest = gradient.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0);
        for (let i = random.integer(0, 6); i < numbers.length; i += 7) {
          const value = numbers[i]!;
          numbers[i] = value + 1e-5;
          const above = loss();
          numbers[i] = value - 1e-5;
          const slope = (above - loss()) / 2e-5;
          numbers[i] = value;
          expect(Math.abs(gradient[i]! - slope)).toBeLessThan(1e-4 * greatest + 1e-8);
          compared += Number(Math.abs(slope) > 1e-3 * greatest);
        }
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

describe('a joint model', () => {
  it('scores passages by the expanded query that found them', async () => {
    const model = await jointModel();
    const { entities, passages, passageCount } = await model.find(EXAMPLES);
    const titles = Array.from(entities.rows, (row) => KNOWLEDGE.titles[row]!);
    const scoresOf = async (texts: readonly string[]) => {
      const queries = await model.parts.query.encode((await ENCODER.encodeQueries(texts)).vectors);
      return Float32Array.from(passages.rows, (row, path) =>
        matrixRow(queries, Math.floor(path / passageCount)).reduce(
          (sum, value, i) => sum + value * matrixRow(KNOWLEDGE.passages, row)[i]!,
          0,
        ),
      );
    };
    const question = (i: number) => EXAMPLES[Math.floor(i / 3)]!.question;
    const expanded = await scoresOf(titles.map((title, i) => `${question(i)} ${title}`));
    const asked = await scoresOf(titles.map((_, i) => question(i)));
    const furthest = (from: Float32Array) =>
      passages.scores.reduce((most, score, i) => Math.max(most, Math.abs(score - from[i]!)), 0);
    expect(furthest(expanded)).toBeLessThan(1e-6);
    expect(furthest(asked)).toBeGreaterThan(0.1);
  });

  it('reads the passages that it found for the question as it was asked', async () => {
    const model = await jointModel();
    const { passages, readings } = await model.find(EXAMPLES.slice(0, 4));
    const own = new PassageReadings();
    for (const [path, reading] of readings.entries()) {
      const { question } = EXAMPLES[Math.floor(path / 6)]!;
      expect(reading).toEqual(own.read(question, KNOWLEDGE.texts[passages.rows[path]!]!));
    }
  });

  it('answers by the likeliest of all paths, and names its entity and passage', async () => {
    const model = await randomModel({ model: { entityTemperature: 0.3, passageTemperature: 0.2 } });
    const answers = await model.answer(EXAMPLES);
    const { entities, passages, readings, spans } = await model.find(EXAMPLES);
    const softmax = (scores: Float32Array, t: number) => {
      const terms = Array.from(scores, (score) => Math.exp(score / t));
      return terms.map((term) => term / terms.reduce((sum, one) => sum + one, 0));
    };
    for (const [n, answer] of answers.entries()) {
      const pe = softmax(entities.scores.subarray(3 * n, 3 * n + 3), 0.3);
      const pz = softmax(passages.scores.subarray(6 * n, 6 * n + 6), 0.2);
      let best = { p: 0, path: -1 };
      for (let path = 0; path < 6; path++) {
        const pa = softmax(Float32Array.from(spans.scores[6 * n + path]!), 1);
        // An answer that stands in several places is likelier than each.
        const shares = new Map<string, number>();
        for (const [c, { normalised }] of readings[6 * n + path]!.candidates.entries()) {
          shares.set(normalised, (shares.get(normalised) ?? 0) + pa[c + 1]!);
        }
        const p = pe[Math.floor(path / 2)]! * pz[path]! * Math.max(...shares.values());
        if (p > best.p) best = { p, path };
      }
      expect(answer.logProbability).toBeCloseTo(Math.log(best.p), 5);
      expect(answer.entity).toBe(entities.rows[3 * n + Math.floor(best.path / 2)]);
      expect(answer.passage).toBe(passages.rows[6 * n + best.path]);
    }
    expect(new Set(answers.map(({ entity }) => entity)).size).toBeGreaterThan(2);
  });

  it('gives gradients to the parts that are trained, and to no other', async () => {
    for (const trained of [[], ['entity'], ['query', 'reader']] as const) {
      const model = await jointModel();
      await model.learn(EXAMPLES, { trained });
      for (const part of PARTS) {
        const moved = gradientsOf(model, part).some((gradient) => gradient.some((slope) => slope !== 0));
        expect(moved).toBe((trained as readonly string[]).includes(part));
      }
    }
  });

  it('learns nothing about paths from a question whose answer no passage holds, but the null answer', async () => {
    const model = await jointModel();
    const lost = EXAMPLES.slice(0, 2).map((example) => ({ ...example, answers: ['Atlantis'] }));
    const loss = await model.learn(lost);
    expect(loss).toMatchObject({ reached: 0, jointLoss: undefined, loss: loss.readerLoss });
    for (const part of ['entity', 'query'] as const) {
      expect(gradientsOf(model, part).every((gradient) => gradient.every((slope) => slope === 0))).toBe(true);
    }
    expect(model.parts.reader.parameters.get('none.weight')!.gradient.some((slope) => slope < 0)).toBe(true);
    const alone = await model.learn(EXAMPLES);
    const mixed = await model.learn([...EXAMPLES, ...lost]);
    expect(mixed.reached).toBe(alone.reached);
    expect(mixed.jointLoss).toBeCloseTo(alone.jointLoss!, 12);
  });

  it('encodes each text once', async () => {
    const model = await jointModel();
    const texts: string[] = [];
    const encoder = {
      dimension: TEXT_NUMBERS,
      encodeQueries: (some: readonly string[]) => {
        texts.push(...some);
        return ENCODER.encodeQueries(some);
      },
    };
    const counted = await JointModel.create(KNOWLEDGE, { ...model.parts, encoder }, { passageCount: 2 });
    const first = await counted.find(EXAMPLES);
    const again = await counted.find(EXAMPLES);
    expect(again.passages.scores).toEqual(first.passages.scores);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('refuses what does not fit', async () => {
    const { parts } = await jointModel();
    const refused = (knowledge: object, options: object = {}) =>
      JointModel.create({ ...KNOWLEDGE, ...knowledge }, parts, options).catch((error) => error.code);
    expect(await refused({ titles: ['Aland'] })).toBe('LENGTH_MISMATCH');
    expect(await refused({ texts: [] })).toBe('LENGTH_MISMATCH');
    expect(await refused({ entities: matrix(new Float32Array(6 * 9), 9) })).toBe('LENGTH_MISMATCH');
    expect(await refused({}, { entityCount: 0 })).toBe('INVALID_ARGUMENT');
    expect(await refused({}, { passageTemperature: 0 })).toBe('TEMPERATURE_INVALID');
    expect(await refused({}, { temperature: 1 })).toBe('INVALID_ARGUMENT');
    const model = await jointModel({ model: { entityCount: 7 } });
    await expect(model.find(EXAMPLES)).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
    const fine = await jointModel();
    const short = [{ ...EXAMPLES[0]!, picture: new Float32Array(7) }];
    await expect(fine.find(short)).rejects.toMatchObject({ code: 'LENGTH_MISMATCH' });
    for (const options of [
      { trained: ['all'] },
      { trained: ['query', 'query'] },
      { floor: 0 },
      { flor: 1 },
    ]) {
      await expect(fine.learn(EXAMPLES, options as never)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    const signal = AbortSignal.abort();
    await expect(fine.learn(EXAMPLES, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    fine.dispose();
    await expect(fine.find(EXAMPLES)).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });
});
