import { describe, expect, it } from 'vitest';
import { answerText } from '../../../src/cli/answer-text.js';
import type { MiRagAnswer } from '../../../src/systems/mirag-answer.js';

const answered: MiRagAnswer = {
  question: 'What is the capital?',
  answer: 'Paris',
  select: 'joint',
  entity: { id: 'fr', title: 'France' },
  passage: { id: 'fr-1', entityId: 'fr', text: 'The capital is Paris.' },
  span: [15, 20],
  probabilities: { entity: 0.987, passage: 0.5, answer: 0.5, joint: 0.24675 },
  joint: null,
  marginal: null,
  votes: [],
  entities: [],
  passages: [],
  timings: { entities: 12.345, total: 100 },
  trace: [{ step: 'expansion', queries: ['What is the capital? France'] }],
};

describe('answerText', () => {
  it('shows answer, entity with its probability, marked passage and timings', () => {
    expect(answerText(answered, { colour: false, trace: false }).split('\n')).toEqual([
      'answer    Paris',
      'entity    France (98.7 %)',
      'passage   The capital is [[Paris]].',
      'timings   entities 12.3 ms, total 100.0 ms',
    ]);
  });

  it('adds the trace on request', () => {
    expect(answerText(answered, { colour: false, trace: true })).toContain('"What is the capital? France"');
  });

  it('says that there is no answer', () => {
    const none = { ...answered, answer: null, entity: null, passage: null, span: null, probabilities: null };
    expect(answerText(none, { colour: true, trace: false }).split('\n')).toEqual([
      'answer    none was found',
      'timings   entities 12.3 ms, total 100.0 ms',
    ]);
    const seen = { ...none, entities: [{ item: { id: 'fr', title: 'France' }, score: 1, probability: 0.5 }] };
    expect(answerText(seen, { colour: true, trace: false })).toContain('entity    France (50.0 %)');
  });
});
