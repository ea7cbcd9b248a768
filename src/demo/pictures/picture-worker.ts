/**
 * A thread that asks questions about pictures of the demo, one at a time. It gets the folder of the corpus as
 * `workerData` and a `PictureTask` per message, and answers each with a `PictureOutcome`.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { ExtractiveReader } from '../../generators/extractive/extractive-reader.js';
import type { EntityRetriever } from '../../retrievers/retriever.js';
import { builtInEncoders } from '../../systems/built-in-encoders.js';
import { openMiRag } from '../../systems/open-mirag.js';
import { type DemoEvaluation, evaluateDemo } from '../evaluate-demo.js';
import { pictureInput } from './picture-source.js';
import type { PictureOutcome, PictureTask } from './picture-workers.js';

const { folder } = workerData as { folder: string };
const { corpus, entities, passages } = await openMiRag(folder);
const { imageEncoder } = builtInEncoders();
const withoutMaxSim = entities.with({ lateInteraction: false });
const generator = new ExtractiveReader();

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
    entities: corpus.entities,
    withoutMaxSim: retrieveFrom(withoutMaxSim),
    withMaxSim: retrieveFrom(entities),
    passages,
    generator,
  });
  const timings = { picturesMs: made - start, encodePicturesMs: encoded - made, ...evaluation.timings };
  return { ...evaluation, timings };
}

parentPort!.on('message', async (task: PictureTask) => {
  let outcome: PictureOutcome;
  try {
    outcome = { evaluation: await evaluate(task) };
  } catch (error) {
    // An error loses its class and its fields on the way to another thread.
    const { message, code, details } = error as { message: string; code?: string; details?: object };
    outcome = { error: { message, code: code ?? 'INTERNAL', details: details ?? {} } };
  }
  parentPort!.postMessage(outcome);
});
