import { LAYOUT_DIMENSION } from '../../encoders/descriptor/layout-descriptor.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import type { JointExample } from '../../training/joint/joint-knowledge.js';
import { JointModel } from '../../training/joint/joint-model.js';
import { trainJoint } from '../../training/joint/train-joint.js';
import { SpanScorer } from '../../training/reader/span-scorer.js';
import type { Tower } from '../../training/towers/tower.js';
import { copiedTower } from './copied-parts.js';
import type { CountryKnowledge } from './country-knowledge.js';
import type { QuestionExample, QuestionExamples } from './question-examples.js';
import type { ReadingStageOptions } from './stage-options.js';
import { ENTITY_TEMPERATURE } from './train-entity-towers.js';
import type { PictureViews } from './view-samples.js';

/** What joint training begins with; nothing of it is changed. */
export interface JointStart {
  readonly image: Tower;
  /** Stays as it is: its titles are what pictures are compared with. */
  readonly title: Tower;
  readonly query: Tower;
}

/** What joint training gives. */
export interface JointParts {
  readonly image: Tower;
  readonly query: Tower;
  readonly reader: SpanScorer;
}

/** Flags in pictures that are asked about, one question each. */
const QUESTIONS = 1200;
const EPOCHS = 2;
/** Questions of a step. */
const BATCH = 16;
const HIDDEN_UNITS = 16;
/** The towers have learned from more than is asked here: they move little. */
const RATES = { entity: 3e-4, query: 1e-4, reader: 5e-3 };

/**
 * MiRAG's joint training (its equation 6): image tower, query tower and reader learn together from pictures, questions and answers; which country and
 * which passage were right, nobody says. Of a picture the view that shows a flag best is given. The titles stay where `title` puts them, and the
 * reader begins as the built-in one. Its plain cross entropy is left out: it calls the null answer right in every passage of another country
 * that answers the question as well, which a reader of the question as it was asked cannot know, and so unlearns to answer.
 *
 * @param knowledge - of countries that may be trained on
 * @param pictures - of such countries
 * @param examples - as `questionExamples` makes them of this knowledge
 * @throws GranuleError `TRAINING_DIVERGED`, `ABORTED`
 */
export async function trainJointly(
  knowledge: CountryKnowledge,
  start: JointStart,
  pictures: readonly PictureViews[],
  { train }: QuestionExamples,
  { seed, threads, signal, onStep, readings, questions = QUESTIONS }: ReadingStageOptions,
): Promise<JointParts> {
  const { titles, titleVectors, passages, texts, encoder } = knowledge;
  const parts = {
    image: copiedTower(start.image),
    query: copiedTower(start.query),
    reader: await SpanScorer.create(
      { kind: 'mlp', hidden: HIDDEN_UNITS },
      { seed: `reader ${seed}`, signal },
    ),
  };
  const entities = await start.title.encode(titleVectors, { threads, signal });
  using model = await JointModel.create(
    { entities, titles, passages, texts },
    { entity: parts.image, query: parts.query, reader: parts.reader, encoder },
    { entityTemperature: ENTITY_TEMPERATURE, readings, signal },
  );
  const asked = askedPictures(
    knowledge,
    pictures,
    train.questions,
    questions,
    new SeededRandom(`joint ${seed}`),
  );
  const steps = EPOCHS * Math.ceil(asked.length / BATCH);
  await trainJoint(model, asked, {
    epochs: EPOCHS,
    learningRates: RATES,
    readerWeight: 0,
    seed: `joint ${seed}`,
    threads,
    signal,
    onStep: ({ step, loss }) => onStep?.({ step, steps, loss }),
  });
  return parts;
}

/** Flags of pictures, each with a question about its country: as many as are asked, in a random order. */
function askedPictures(
  { cca2 }: CountryKnowledge,
  pictures: readonly PictureViews[],
  questions: readonly QuestionExample[],
  count: number,
  random: SeededRandom,
): JointExample[] {
  const about = new Map<string, QuestionExample[]>();
  for (const question of questions) {
    const code = cca2[question.entity]!;
    const known = about.get(code);
    if (known === undefined) about.set(code, [question]);
    else known.push(question);
  }
  const shown = pictures.flatMap((picture) =>
    picture.flags.flatMap((code, flag) => (about.has(code) ? [{ picture, flag, code }] : [])),
  );
  const asked: JointExample[] = [];
  while (shown.length > 0 && asked.length < count) {
    for (const { picture, flag, code } of shuffled(shown, random).slice(0, count - asked.length)) {
      const { question, answers } = random.pick(about.get(code)!);
      const view = picture.best[flag]! * LAYOUT_DIMENSION;
      asked.push({ question, answers, picture: picture.vectors.slice(view, view + LAYOUT_DIMENSION) });
    }
  }
  return asked;
}
