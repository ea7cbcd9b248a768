/**
 * A thread that asks questions about pictures of the demo, one at a time. It gets the folder of the corpus as
 * `workerData`, with the files of towers, and a `PictureTask` per message, and answers each with a `PictureOutcome`; `'close'` ends it.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Corpus } from '../../corpus/corpus.js';
import type { Entity } from '../../corpus/records.js';
import { DescriptorImageEncoder } from '../../encoders/descriptor/descriptor-image-encoder.js';
import type { ImageInput } from '../../encoders/encoder.js';
import { ExtractiveReader } from '../../generators/extractive/extractive-reader.js';
import { DensePassageRetriever } from '../../retrievers/dense-passage-retriever.js';
import { ImageEntityRetriever } from '../../retrievers/image-entity-retriever.js';
import type { EntityRetriever } from '../../retrievers/retriever.js';
import { builtInEncoders } from '../../systems/built-in-encoders.js';
import { type AblationSystems, ablationSystems } from '../ablation/ablation-systems.js';
import { askAllSystems } from '../ablation/ask-all-systems.js';
import { ViewsOnce } from '../ablation/remembering-parts.js';
import type { CountryQuestion } from '../countries/country-questions.js';
import { type DemoEvaluation, evaluateDemo } from '../evaluate-demo.js';
import { countryEntities } from '../learning/country-entities.js';
import { readCountryTowers } from '../learning/country-towers-file.js';
import { TitleEntityRetriever } from '../learning/title-entity-retriever.js';
import { FLAG_WINDOW_WIDTHS } from './flag-windows.js';
import { pictureInput } from './picture-source.js';
import type { PictureOutcome, PictureTask, PictureWorkerData, TaskResult } from './picture-workers.js';

const { folder, towers } = workerData as PictureWorkerData;
const { textEncoder, imageEncoder } = builtInEncoders();
const corpus = await Corpus.open(folder, { textEncoder, imageEncoder }, { readOnly: true });
const snapshot = await corpus.snapshot();
const images = new ImageEntityRetriever(imageEncoder, snapshot);
const passages = new DensePassageRetriever({ encoder: textEncoder, store: snapshot });
const withoutMaxSim = images.with({ lateInteraction: false });
const generator = new ExtractiveReader();
const entities: Entity[] = [];
for await (const entity of snapshot.entities()) entities.push(entity);
/** Of pictures of one flag and of several, for the systems of the ablation. */
const flagEncoder = new DescriptorImageEncoder({ widths: FLAG_WINDOW_WIDTHS });
const systems = towers && (await learnedSystems(towers));

/** The systems of the ablation, over the passages of the corpus. */
async function learnedSystems(files: readonly string[]) {
  const rows = Array.from({ length: snapshot.counts.passages }, (_, row) => row);
  const retriever = new ViewsOnce(new ImageEntityRetriever(flagEncoder, snapshot));
  const parts = { entities, imageEncoder: flagEncoder, images: retriever };
  return ablationSystems(
    {
      passages: await snapshot.passages(rows),
      passageVectors: await snapshot.passageVectors(rows),
      textEncoder,
      untrained: retriever,
      titles: (trained) => TitleEntityRetriever.build({ ...parts, textEncoder, towers: trained }),
      trained: (trained, titles) => countryEntities(trained, { ...parts, titles }),
    },
    await Promise.all(files.map((file) => readCountryTowers(file))),
  );
}

async function evaluate({ question, picture, ablation = false }: PictureTask): Promise<TaskResult> {
  const start = performance.now();
  const image = await pictureInput(picture);
  const timings = { picturesMs: performance.now() - start };
  const severalFlags = 'flags' in picture;
  const evaluation = severalFlags ? undefined : await evaluateSystems(question, image);
  const scores = ablation && systems ? await ablationScores(question, image, systems) : undefined;
  return {
    evaluation: evaluation && { ...evaluation, timings: { ...timings, ...evaluation.timings } },
    ablation: scores && { cca2: question.cca2, severalFlags, scores },
  };
}

async function ablationScores(question: CountryQuestion, picture: ImageInput, asked: AblationSystems) {
  const query = await flagEncoder.encodeQuery(picture);
  try {
    return await askAllSystems({ question, picture, query }, entities, asked);
  } finally {
    query.release?.();
  }
}

async function evaluateSystems(question: CountryQuestion, picture: ImageInput): Promise<DemoEvaluation> {
  const start = performance.now();
  const query = await imageEncoder.encodeQuery(picture);
  const encodePicturesMs = performance.now() - start;
  const retrieveFrom = (retriever: typeof images): EntityRetriever => ({
    retrieve: (_, options, timings) => retriever.retrieveEncoded(query, options, timings),
  });
  try {
    const evaluation = await evaluateDemo([{ question, picture }], {
      entities,
      withoutMaxSim: retrieveFrom(withoutMaxSim),
      withMaxSim: retrieveFrom(images),
      passages,
      generator,
    });
    return { ...evaluation, timings: { encodePicturesMs, ...evaluation.timings } };
  } finally {
    query.release?.();
  }
}

let turn: Promise<void> = Promise.resolve();
parentPort!.on('message', (message: PictureTask | 'close') => {
  turn = turn.then(() => (message === 'close' ? close() : answer(message)));
});

/** Lets the thread end by itself: a database must not be stopped in the middle of its work. */
async function close(): Promise<void> {
  await snapshot.release();
  await corpus.close();
  parentPort!.close();
}

async function answer(task: PictureTask): Promise<void> {
  let outcome: PictureOutcome;
  try {
    outcome = { result: await evaluate(task) };
  } catch (error) {
    // An error loses its class and its fields on the way to another thread.
    const { message, code, details } = error as { message: string; code?: string; details?: object };
    outcome = { error: { message, code: code ?? 'INTERNAL', details: details ?? {} } };
  }
  parentPort!.postMessage(outcome);
}
