/**
 * A thread that asks questions about pictures of the demo, one at a time. It gets the folder of the corpus as
 * `workerData` and a `PictureTask` per message, and answers each with a `PictureOutcome`; `'close'` ends it.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Entity } from '../../corpus/records.js';
import { ExtractiveReader } from '../../generators/extractive/extractive-reader.js';
import type { EntityRetriever } from '../../retrievers/retriever.js';
import { builtInEncoders } from '../../systems/built-in-encoders.js';
import { openMiRag } from '../../systems/open-mirag.js';
import { type DemoEvaluation, evaluateDemo } from '../evaluate-demo.js';
import { pictureInput } from './picture-source.js';
import type { PictureOutcome, PictureTask } from './picture-workers.js';

const { folder } = workerData as { folder: string };
const { snapshot, entities, passages, dispose } = await openMiRag(folder);
const { imageEncoder } = builtInEncoders();
const withoutMaxSim = entities.with({ lateInteraction: false });
const generator = new ExtractiveReader();
const all: Entity[] = [];
for await (const entity of snapshot.entities()) all.push(entity);

async function evaluate({ question, picture }: PictureTask): Promise<DemoEvaluation> {
  const start = performance.now();
  const image = await pictureInput(picture);
  const made = performance.now();
  const query = await imageEncoder.encodeQuery(image);
  const encoded = performance.now();
  const retrieveFrom = (retriever: typeof entities): EntityRetriever => ({
    retrieve: (_, options, timings) => retriever.retrieveEncoded(query, options, timings),
  });
  const evaluation = await evaluateDemo([{ question, picture: image }], {
    entities: all,
    withoutMaxSim: retrieveFrom(withoutMaxSim),
    withMaxSim: retrieveFrom(entities),
    passages,
    generator,
  });
  const timings = { picturesMs: made - start, encodePicturesMs: encoded - made, ...evaluation.timings };
  return { ...evaluation, timings };
}

let turn: Promise<void> = Promise.resolve();
parentPort!.on('message', (message: PictureTask | 'close') => {
  turn = turn.then(() => (message === 'close' ? close() : answer(message)));
});

/** Lets the thread end by itself: a database must not be stopped in the middle of its work. */
async function close(): Promise<void> {
  await dispose();
  parentPort!.close();
}

async function answer(task: PictureTask): Promise<void> {
  let outcome: PictureOutcome;
  try {
    outcome = { evaluation: await evaluate(task) };
  } catch (error) {
    // An error loses its class and its fields on the way to another thread.
    const { message, code, details } = error as { message: string; code?: string; details?: object };
    outcome = { error: { message, code: code ?? 'INTERNAL', details: details ?? {} } };
  }
  parentPort!.postMessage(outcome);
}
