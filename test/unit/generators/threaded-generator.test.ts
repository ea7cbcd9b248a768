import { afterAll, expect, test } from 'vitest';
import { ExtractiveReader } from '../../../src/generators/extractive/extractive-reader.js';
import { generatorInThreads } from '../../../src/generators/threads/threaded-generator.js';

const PASSAGES = Array.from({ length: 45 }, (_, i) => ({
  id: `p${i}`,
  entityId: 'e',
  text: `Tower ${i}. The tower was built in ${1800 + i} by Anna Berg. It is ${20 + i} metres high and stands in Oslo.`,
}));
const QUESTION = 'How high is the tower?';

const alone = new ExtractiveReader({ answers: 3 });
const threaded = generatorInThreads(alone, { threads: 2 });
afterAll(() => threaded.close());

test.each([0, 1, 45])('%i passages are read in threads as on the calling thread', async (count) => {
  expect(threaded).toMatchObject({ name: 'extractive-reader', threads: 2 });
  const passages = PASSAGES.slice(0, count);
  const answers = await threaded.generate(QUESTION, passages);
  expect(answers).toEqual(await alone.generate(QUESTION, passages));
  expect(answers.length).toBe(count);
  if (count > 0) expect(answers[0]![0]!.text).toContain('20');
});

test('reading stops when told to, and cannot begin after close', async () => {
  await expect(threaded.generate(QUESTION, PASSAGES, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
  const closed = generatorInThreads(alone, { threads: 1 });
  await closed.close();
  await expect(closed.generate(QUESTION, PASSAGES)).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
});

test('a generator without a spec works on the calling thread', async () => {
  const own = generatorInThreads({
    name: 'own',
    generate: async (question) => [[{ text: question, logProbability: 0 }]],
  });
  expect(own.threads).toBe(0);
  expect(await own.generate('why', PASSAGES.slice(0, 1))).toEqual([[{ text: 'why', logProbability: 0 }]]);
});
