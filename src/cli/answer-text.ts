import type { MiRagAnswer } from '../systems/mirag-answer.js';
import { formatTrace } from '../systems/mirag-trace.js';
import { markedPassage } from './marked-passage.js';
import { percent, timingsLine } from './shown-values.js';

/** How to show an answer. */
export interface AnswerTextOptions {
  readonly colour: boolean;
  /** Adds the steps that led to the answer. */
  readonly trace: boolean;
}

/** An answer for a person: answer, entity with its probability, passage with the answer marked, timings. */
export function answerText(answered: MiRagAnswer, { colour, trace }: AnswerTextOptions): string {
  const { answer, passage, span, probabilities, timings } = answered;
  // Without an answer there is no path, and the likeliest entity is still worth knowing.
  const entity = answered.entity ?? answered.entities[0]?.item;
  const probability = probabilities?.entity ?? answered.entities[0]?.probability;
  const lines = [`answer    ${answer ?? 'none was found'}`];
  if (entity !== undefined && probability !== undefined) {
    lines.push(`entity    ${entity.title} (${percent(probability).trim()})`);
  }
  if (passage !== null) lines.push(`passage   ${markedPassage(passage.text, span ?? undefined, colour)}`);
  lines.push(`timings   ${timingsLine(timings)}`);
  if (trace) lines.push('', formatTrace(answered.trace));
  return lines.join('\n');
}
