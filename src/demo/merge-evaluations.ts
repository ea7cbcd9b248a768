import type { Timings } from '../retrievers/retriever.js';
import type { DemoEvaluation, SystemScores } from './evaluate-demo.js';

/**
 * One evaluation out of several over parts of the questions: means weighted by the number of questions, added in the
 * given order.
 *
 * @param evaluations - at least one, all of the same systems
 * @param totalMs - milliseconds that all of it took
 */
export function mergeEvaluations(evaluations: readonly DemoEvaluation[], totalMs: number): DemoEvaluation {
  const questions = evaluations.reduce((sum, part) => sum + part.questions, 0);
  const mean = (value: (part: DemoEvaluation) => number) =>
    evaluations.reduce((sum, part) => sum + value(part) * part.questions, 0) / questions;
  const [first] = evaluations;
  const systems = first!.systems.map(({ name }, i): SystemScores => {
    const score = (field: Exclude<keyof SystemScores, 'name'>) => mean((part) => part.systems[i]![field]);
    return {
      name,
      entityP1: score('entityP1'),
      entityMrr100: score('entityMrr100'),
      passageP1: score('passageP1'),
      passageP20: score('passageP20'),
      exactMatch: score('exactMatch'),
      f1: score('f1'),
    };
  });
  const timings: Timings = {};
  for (const name of Object.keys(first!.timings)) timings[name] = mean((part) => part.timings[name]!);
  timings['totalMs'] = totalMs;
  return { questions, systems, timings };
}
