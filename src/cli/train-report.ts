import type { TrainedCorpusRetriever } from '../training/index.js';

/** What `granule train --json` prints. */
export function resultFacts(to: string, result: TrainedCorpusRetriever): object {
  const { before, after, history, end, resumedAt, temperature, queries, plan, withoutAnswer } = result;
  return {
    adapter: to,
    queries,
    withoutAnswer: withoutAnswer.map(({ file, line }) => ({ file, line })),
    steps: history.steps.length,
    resumedAt,
    end,
    loss: history.steps.at(-1)?.loss,
    temperature,
    before: before?.measures,
    after: after?.measures,
    bestStep: after?.step,
    options: plan,
  };
}

/** What `granule train` prints. */
export function resultText(to: string, result: TrainedCorpusRetriever): string {
  const { before, after, history, end, queries, withoutAnswer } = result;
  const steps = history.steps.length;
  const lines = [
    `${counted(queries.train, 'query', 'queries')} trained on, ${queries.dev} measured, ${counted(steps, 'step', 'steps')}${end === 'patience' ? ' (the measure did not get better any more)' : ''}`,
  ];
  const left = withoutAnswer.length;
  if (left > 0) {
    lines.push(`${counted(left, 'line', 'lines')} left out: no answer stands in the best passages`);
  }
  for (const [name, value] of Object.entries(after?.measures ?? {})) {
    lines.push(`${name.padEnd(16)} ${before!.measures[name]!.toFixed(4)} -> ${value.toFixed(4)}`);
  }
  if (after?.step === 0) lines.push('no step made it better: the adapter leaves vectors as they are');
  if (isUnfinished(result)) {
    lines.push('the last measurement was the best: more --epochs or a higher --rate may do better');
  }
  if (result.document !== undefined) {
    lines.push(
      'it has a tower of documents, too: granule reencode --adapter encodes the knowledge base anew with it',
    );
  }
  lines.push(`written to ${to}`);
  return lines.join('\n');
}

/** Whether training ended while the first measure, which is 1 at most as a rule, was still getting better. */
function isUnfinished({ after, history, end }: TrainedCorpusRetriever): boolean {
  if (after === undefined || after.step === 0 || end !== 'steps') return false;
  return after.step === history.steps.length && Object.values(after.measures)[0] !== 1;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
