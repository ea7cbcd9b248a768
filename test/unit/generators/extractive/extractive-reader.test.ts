import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Passage } from '../../../../src/corpus/records.js';
import { answerScores } from '../../../../src/evaluation/answer-metrics.js';
import { ExtractiveReader } from '../../../../src/generators/extractive/extractive-reader.js';
import { normaliseAnswer } from '../../../../src/generators/normalise-answer.js';
import { FITTING_PASSAGES, HELD_OUT_PASSAGES } from './general-passages.js';

const reader = new ExtractiveReader();

function passage(text: string): Passage {
  return { id: 'p', entityId: 'e', text };
}

async function firstAnswer(question: string, text: string) {
  const [answers] = await reader.generate(question, [passage(text)]);
  return answers![0];
}

describe('answers', () => {
  test.each([
    ['What is the capital?', 'Freedonia: facts. The capital of Freedonia is St. Alban, a port.', 'St. Alban'],
    [
      'Which countries border it?',
      'Freedonia borders Aland, Bland and the United Cland; they are friendly.',
      'Aland, Bland and the United Cland',
    ],
    [
      'How many square kilometres does it cover?',
      'It covers 549,087 square kilometres. It has 12 lakes.',
      '549,087',
    ],
    [
      'What is its top-level domain?',
      'On the internet the top-level domain is .fd, and banks write FDA.',
      '.fd',
    ],
    [
      'What is the official name?',
      'The official name of it is Republic of the Upper Freedonia.',
      'Republic of the Upper Freedonia',
    ],
    [
      'What is the material of the handle?',
      'Axe. The blade is steel. The material of the handle is ash wood.',
      'ash wood',
    ],
  ])('%s', async (question, text, expected) => {
    const answer = await firstAnswer(question, text);
    expect(answer?.text).toBe(expected);
    expect(text.slice(...answer!.span!)).toBe(expected);
  });

  test('on passages of other subjects than the fit’s are mostly exact', async () => {
    let right = 0;
    let asked = 0;
    for (const { text, questions } of HELD_OUT_PASSAGES) {
      for (const [question, ...accepted] of questions) {
        right += answerScores((await firstAnswer(question, text))?.text ?? null, accepted).exactMatch;
        asked += 1;
      }
    }
    expect(right / asked).toBeGreaterThanOrEqual(0.85);
  });

  test('are improbable where the passage answers another question', async () => {
    let high = 0;
    let asked = 0;
    for (const [i, { questions }] of HELD_OUT_PASSAGES.entries()) {
      const { text } = FITTING_PASSAGES[i]!;
      for (const [question] of questions) {
        const answer = await firstAnswer(question, text);
        high += Math.exp(answer?.logProbability ?? Number.NEGATIVE_INFINITY) > 0.5 ? 1 : 0;
        asked += 1;
      }
    }
    expect(high / asked).toBeLessThan(0.25);
  });
});

describe('probabilities', () => {
  test('of one passage fall and sum to at most 1, over texts that differ, with exact spans', async () => {
    const all = new ExtractiveReader({ answers: 1000 });
    for (const { text, questions } of [...HELD_OUT_PASSAGES, ...FITTING_PASSAGES.slice(0, 3)]) {
      for (const [question] of questions) {
        const [answers] = await all.generate(question, [passage(text)]);
        const probabilities = answers!.map(({ logProbability }) => Math.exp(logProbability));
        expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeLessThan(1);
        expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
        expect(new Set(answers!.map((answer) => normaliseAnswer(answer.text))).size).toBe(answers!.length);
        for (const answer of answers!) expect(text.slice(...answer.span!)).toBe(answer.text);
      }
    }
  });

  test('of a passage do not depend on the other passages', async () => {
    const passages = HELD_OUT_PASSAGES.map(({ text }) => passage(text));
    const together = await reader.generate('What is it made of?', passages);
    for (const [i, one] of passages.entries()) {
      expect(await new ExtractiveReader().generate('What is it made of?', [one])).toEqual([together[i]]);
    }
  });
});

test('any text is read without a failure', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 200 }), fc.string({ maxLength: 40 }), async (text, question) => {
      const [answers] = await reader.generate(question, [passage(text)]);
      expect(answers!.every(({ logProbability }) => logProbability <= 0)).toBe(true);
    }),
  );
});

test('no more answers come back than were asked for, and none from an empty passage', async () => {
  const two = new ExtractiveReader({ answers: 2 });
  const lists = await two.generate('What is it?', [passage(HELD_OUT_PASSAGES[0]!.text), passage('')]);
  expect(lists.map(({ length }) => length)).toEqual([2, 0]);
  expect(await two.generate('What is it?', [])).toEqual([]);
});

test('bad options are refused', () => {
  for (const answers of [0, -1, 1.5]) {
    expect(() => new ExtractiveReader({ answers })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  }
});

test('an aborted signal stops the reading', async () => {
  const reading = reader.generate('What?', [passage('x')], { signal: AbortSignal.abort() });
  await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
});
