import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EventLoopTurns } from '../../../../src/approximate/event-loop-turns.js';
import {
  addItems,
  addNumbers,
  differences,
  digestOf,
  identityOfRun,
} from '../../../../src/training/run/run-identity.js';
import { retrieverIdentity } from '../../../../src/training/trainer/retriever-identity.js';
import { trainPlan } from '../../../../src/training/trainer/train-options.js';
import type { JudgedQueries, RetrieverData } from '../../../../src/training/trainer/training-data.js';
import { rotatedWorld } from '../trainer/rotated-world.js';

describe('the identity of a run', () => {
  it('says what differs, also what only one of two has', () => {
    const kept = identityOfRun({ seed: 0, clip: undefined }, { train: 'a', dev: 'b' });
    const own = identityOfRun({ seed: '0', decay: 'linear' }, { train: 'a', dev: 'c' });
    expect(differences(kept, kept)).toEqual([]);
    expect(differences(kept, own)).toEqual([
      'seed was 0 and is "0"',
      'the data of dev are others',
      'decay was none and is "linear"',
    ]);
    expect(differences({ a: '1' }, {})).toEqual(['a was 1 and is none']);
  });

  it('has the digest of all numbers and items', async () => {
    const turns = new EventLoopTurns(undefined);
    // More than are hashed at a time, and not from the beginning of their memory.
    const numbers = Float32Array.from({ length: 300_001 }, (_, i) => Math.sin(i)).subarray(1);
    const expected = createHash('sha256')
      .update(Buffer.from(numbers.buffer, 4, 1_200_000))
      .update('"a"\n[1,2]\n')
      .digest('hex');
    const found = await digestOf(turns, async (hash) => {
      await addNumbers(hash, numbers, turns);
      await addItems(hash, ['a', [1, 2]], turns);
    });
    expect(found).toBe(expected);
  });

  it('of a retriever changes with every number, positive, negative and grade', async () => {
    const world = rotatedWorld({ documents: 12, dev: 4, dimension: 3 });
    const judged: JudgedQueries = {
      ...world.train,
      negatives: Array.from({ length: 8 }, () => [9, 10]),
      grades: Array.from({ length: 8 }, (_, i) => new Map([[i, 2]])),
    };
    const whole: RetrieverData = { ...world, train: judged };
    const changed = <T>(list: readonly T[], last: T) => [...list.slice(0, -1), last];
    const other = ({ data, ...rest }: typeof world.documents) => ({
      ...rest,
      data: data.with(data.length - 1, 0.5),
    });
    const plan = trainPlan({}, whole);
    const identity = (data: RetrieverData, of = plan) => retrieverIdentity(of, data, undefined);
    const differing = async (data: RetrieverData) => differences(await identity(whole), await identity(data));
    expect(await differing(structuredClone(whole))).toEqual([]);
    const train = ['the data of train are others'];
    expect(await differing({ ...whole, documents: other(world.documents) })).toEqual([
      'the data of documents are others',
    ]);
    expect(await differing({ ...whole, train: { ...judged, vectors: other(judged.vectors) } })).toEqual(
      train,
    );
    const { positives, negatives, grades } = judged;
    expect(
      await differing({ ...whole, train: { ...judged, positives: changed(positives, [7, 8]) } }),
    ).toEqual(train);
    expect(await differing({ ...whole, train: { ...judged, negatives: changed(negatives!, [9]) } })).toEqual(
      train,
    );
    const grade = changed(grades!, new Map([[7, 3]]));
    expect(await differing({ ...whole, train: { ...judged, grades: grade } })).toEqual(train);
    expect(await differing({ documents: whole.documents, train: judged })).toEqual([
      'the data of dev are others',
    ]);
    const slower = trainPlan({ learningRate: 1e-4 }, whole);
    expect(differences(await identity(whole), await identity(whole, slower))).toEqual([
      'learningRate was 0.001 and is 0.0001',
    ]);
  });
});
