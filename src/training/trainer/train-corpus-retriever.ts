import type { CorpusEncoders } from '../../corpus/encoder-records.js';
import type { CorpusSnapshot } from '../../corpus/snapshot/corpus-snapshot.js';
import { GranuleError } from '../../errors.js';
import { type Adapter, identityOf } from './adapter.js';
import { readCorpusSpace } from './corpus-space.js';
import { refuseLeaks } from './divide-lines.js';
import { judgedLines } from './judged-lines.js';
import type { TrainOptions } from './train-options.js';
import { type TrainedRetriever, trainRetriever } from './train-retriever.js';
import type { TrainingLine } from './training-lines.js';

/** Examples of a knowledge base. */
export interface CorpusExamples {
  readonly train: readonly TrainingLine[];
  /** What is measured and not trained on. */
  readonly dev?: readonly TrainingLine[] | undefined;
}

/** Options of {@link trainCorpusRetriever}. */
export interface TrainCorpusOptions extends Omit<TrainOptions, 'queryTower' | 'documentTower'> {
  /** The towers for vectors of so many numbers; by default as `trainRetriever` has them. */
  readonly towers?: ((dimension: number) => Pick<TrainOptions, 'queryTower' | 'documentTower'>) | undefined;
  /** Best passages in which answers are looked for where a line has no positives; 50 by default. */
  readonly answerDepth?: number | undefined;
  /** Is told after each picture how many are encoded, of how many; texts are encoded at once. */
  readonly onEncoded?: ((done: number, pictures: number) => void) | undefined;
}

/** What {@link trainCorpusRetriever} gives. */
export interface TrainedCorpusRetriever extends TrainedRetriever {
  readonly adapter: Adapter;
  /** Queries that were trained on, and measured. */
  readonly queries: { readonly train: number; readonly dev: number };
  /** Lines that were left out: none of the best passages holds an answer. */
  readonly withoutAnswer: readonly TrainingLine[];
}

/**
 * Trains a retriever of a knowledge base on examples: texts to find passages, or pictures to find images, by their whole view.
 *
 * @param encoders - those of the corpus, with what they learned from it
 * @throws GranuleError as {@link trainRetriever}; `TRAINING_DATA_INVALID` for examples of texts and pictures mixed, ids that are unknown, and
 * measured lines whose group or positive is trained on
 */
export async function trainCorpusRetriever(
  snapshot: CorpusSnapshot,
  encoders: CorpusEncoders,
  { train, dev }: CorpusExamples,
  options: TrainCorpusOptions = {},
): Promise<TrainedCorpusRetriever> {
  const { towers, answerDepth = 50, onEncoded, ...training } = options;
  const { signal } = options;
  refuseLeaks({ train, dev: dev ?? [] });
  const kind = kindOf([...train, ...(dev ?? [])]);
  const space = await readCorpusSpace(snapshot, kind, signal);
  let encoded = 0;
  const pictures = train.length + (dev?.length ?? 0);
  const onPicture = () => onEncoded?.(++encoded, pictures);
  const judging = { snapshot, encoders, space, answerDepth, onPicture, signal };
  const trained = await judgedLines(train, judging);
  const measured = dev && (await judgedLines(dev, judging));
  const data = { documents: space.vectors, train: trained.queries, dev: measured?.queries };
  const result = await trainRetriever(data, { ...training, ...towers?.(space.vectors.columns) });
  const { query, document, temperature, before, after, plan, history, end } = result;
  const encoder = identityOf(kind === 'passages' ? encoders.textEncoder : encoders.imageEncoder);
  const queries = { train: trained.queries.vectors.rows, dev: measured?.queries.vectors.rows ?? 0 };
  const facts = { of: kind, queries, options: plan, steps: history.steps.length, end, before, after };
  return {
    ...result,
    adapter: { query, ...(document && { document }), temperature, encoder, training: facts },
    queries,
    withoutAnswer: [...trained.withoutAnswer, ...(measured?.withoutAnswer ?? [])],
  };
}

function kindOf(lines: readonly TrainingLine[]): 'passages' | 'images' {
  const pictures = lines.filter(({ image }) => image !== undefined);
  if (pictures.length === 0) return 'passages';
  if (pictures.length === lines.length) return 'images';
  throw new GranuleError(
    'TRAINING_DATA_INVALID',
    `examples must be texts or pictures, not both: the first picture is in ${pictures[0]!.place}`,
  );
}
