import { expect, test } from 'vitest';
import { hallucinationRates } from '../../../../src/evaluation/answers/hallucination-rates.js';

test('CHAIR by hand: 3 of 7 mentions, 2 of 4 answers', () => {
  const evidence = ['dog', 'Ball', 'the grass'];
  const rates = hallucinationRates([
    { mentions: ['Dog', 'grass'], evidence },
    { mentions: ['dog', 'cat', 'cat'], evidence },
    { mentions: ['ball', 'tree'], evidence },
    { mentions: [], evidence: [] },
  ]);
  expect(rates).toEqual({
    perMention: 3 / 7,
    perAnswer: 2 / 4,
    mentions: 7,
    answers: 4,
    unsupported: [[], ['cat', 'cat'], ['tree'], []],
  });
});

test('the rate per mention is of all mentions, not a mean of answers', () => {
  const rates = hallucinationRates([
    { mentions: ['a1'], evidence: [] },
    { mentions: ['b', 'b', 'b'], evidence: ['b'] },
  ]);
  expect(rates.perMention).toBe(1 / 4);
  expect(rates.perAnswer).toBe(1 / 2);
});

test('support can be judged otherwise; nothing mentioned is nothing invented', () => {
  const synonyms: Record<string, string> = { puppy: 'dog' };
  const supports = (evidence: readonly string[], mention: string) =>
    evidence.includes(synonyms[mention] ?? mention);
  expect(hallucinationRates([{ mentions: ['puppy'], evidence: ['dog'] }]).perMention).toBe(1);
  expect(hallucinationRates([{ mentions: ['puppy'], evidence: ['dog'] }], { supports }).perMention).toBe(0);
  expect(hallucinationRates([{ mentions: [], evidence: [] }])).toMatchObject({ perMention: 0, perAnswer: 0 });
});

test('refuses no answers at all, and unknown options', () => {
  expect(() => hallucinationRates([])).toThrow(/no answer/);
  expect(() => hallucinationRates([{ mentions: [], evidence: [] }], { synonyms: {} } as object)).toThrow(
    /synonyms/,
  );
});
