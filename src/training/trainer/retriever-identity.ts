import { EventLoopTurns } from '../../approximate/event-loop-turns.js';
import { addItems, addNumbers, digestOf, identityOfRun, type RunIdentity } from '../run/run-identity.js';
import type { TrainPlan } from './train-options.js';
import type { JudgedQueries, RetrieverData } from './training-data.js';

/** Runs with one identity have the same bits at every step. */
export async function retrieverIdentity(
  plan: TrainPlan,
  { documents, train, dev }: RetrieverData,
  signal: AbortSignal | undefined,
): Promise<RunIdentity> {
  const turns = new EventLoopTurns(signal);
  const queries = ({ vectors, positives, negatives, grades }: JudgedQueries) =>
    digestOf(turns, async (hash) => {
      await addNumbers(hash, vectors.data, turns);
      const judged = Array.from(positives, (list, i) => [
        Array.from(list),
        Array.from(negatives?.[i] ?? []),
        [...(grades?.[i] ?? [])],
      ]);
      await addItems(hash, judged, turns);
    });
  return identityOfRun(plan as unknown as Record<string, unknown>, {
    documents: await digestOf(turns, (hash) => addNumbers(hash, documents.data, turns)),
    train: await queries(train),
    dev: dev === undefined ? 'none' : await queries(dev),
  });
}
