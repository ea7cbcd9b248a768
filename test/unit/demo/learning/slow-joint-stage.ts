import type { CountryKnowledge } from '../../../../src/demo/learning/country-knowledge.js';
import type { QuestionExample } from '../../../../src/demo/learning/question-examples.js';
import type { PictureViews } from '../../../../src/demo/learning/view-samples.js';
import { LAYOUT_DIMENSION } from '../../../../src/encoders/descriptor/layout-descriptor.js';
import { SeededRandom } from '../../../../src/ranking/seeded-random.js';
import { shuffled } from '../../../../src/ranking/shuffled.js';
import { JointModel } from '../../../../src/training/joint/joint-model.js';
import { trainJoint } from '../../../../src/training/joint/train-joint.js';
import type { PassageReadings } from '../../../../src/training/reader/passage-readings.js';
import { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import { Tower } from '../../../../src/training/towers/tower.js';

/** Joint training of the countries with seed 1 and pictures of one flag, where there are no more questions than pictures. */
export async function slowJointStage(
  { cca2, titles, titleVectors, passages, texts, encoder }: CountryKnowledge,
  start: Readonly<Record<'image' | 'title' | 'query', Tower>>,
  pictures: readonly PictureViews[],
  questions: readonly QuestionExample[],
  count: number,
  readings: PassageReadings,
) {
  const random = new SeededRandom('joint 1');
  const about = (code: string) => questions.filter(({ entity }) => cca2[entity] === code);
  const shown = pictures.filter(({ flags }) => about(flags[0]!).length > 0);
  const asked = shuffled(shown, random)
    .slice(0, count)
    .map(({ flags, best, vectors }) => {
      const { question, answers } = random.pick(about(flags[0]!));
      const view = best[0]! * LAYOUT_DIMENSION;
      return { question, answers, picture: vectors.slice(view, view + LAYOUT_DIMENSION) };
    });
  const copied = ({ shape, parameters }: Tower) =>
    Tower.from(
      shape,
      Object.fromEntries([...parameters].map(([name, { values }]) => [name, values.slice()])),
    );
  const parts = {
    image: copied(start.image),
    query: copied(start.query),
    reader: await SpanScorer.create({ kind: 'mlp', hidden: 16 }, { seed: 'reader 1' }),
  };
  using model = await JointModel.create(
    { entities: await start.title.encode(titleVectors), titles, passages, texts },
    { entity: parts.image, query: parts.query, reader: parts.reader, encoder },
    { entityTemperature: 0.05, readings },
  );
  await trainJoint(model, asked, {
    epochs: 2,
    batchSize: 16,
    learningRates: { entity: 3e-4, query: 1e-4, reader: 5e-3 },
    readerWeight: 0,
    seed: 'joint 1',
  });
  return parts;
}
