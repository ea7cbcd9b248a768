import type { MiRagSelection, PathProbabilities } from './mirag-path.js';

/** One step from the picture to the answer, with what it found. */
export type TraceStep =
  | {
      readonly step: 'entities';
      /** How the entities were found: in the picture, given by the caller, or not at all. */
      readonly source: 'picture' | 'given' | 'none';
      readonly found: readonly {
        readonly id: string;
        readonly title: string;
        readonly probability: number;
      }[];
    }
  | { readonly step: 'expansion'; readonly queries: readonly string[] }
  | {
      readonly step: 'passages';
      readonly found: readonly { readonly id: string; readonly probability: number }[];
    }
  | {
      readonly step: 'answers';
      readonly generator: string;
      /** The likeliest answer of each passage; passages without one are left out. */
      readonly found: readonly {
        readonly passage: string;
        readonly text: string;
        readonly probability: number;
      }[];
    }
  | {
      readonly step: 'selection';
      readonly by: MiRagSelection;
      readonly answer: string | null;
      readonly entity: string | null;
      readonly passage: string | null;
      readonly probabilities: PathProbabilities | null;
      /** The other rule's answer, where it differs. */
      readonly otherwise: string | null;
    };

/** A trace as lines of text for a person. */
export function formatTrace(trace: readonly TraceStep[]): string {
  return trace.map((step, i) => `${i + 1}. ${describe(step).join('\n   ')}`).join('\n');
}

function describe(step: TraceStep): string[] {
  switch (step.step) {
    case 'entities':
      if (step.source === 'none') return ['No picture: the question is searched as it stands.'];
      if (step.source === 'given')
        return [`The entity was given: ${step.found.map(({ title }) => title).join(', ')}.`];
      if (step.found.length === 0) return ['The picture shows no known entity.'];
      return [
        'The picture may show:',
        ...step.found.map(({ title, probability }) => `${share(probability)}  ${title}`),
      ];
    case 'expansion':
      return ['Passages are searched for:', ...step.queries.map((query) => `"${query}"`)];
    case 'passages':
      if (step.found.length === 0) return ['No passage was found.'];
      return ['Passages found:', ...step.found.map(({ id, probability }) => `${share(probability)}  ${id}`)];
    case 'answers':
      if (step.found.length === 0) return [`The ${step.generator} found no answer in them.`];
      return [
        `Answers of the ${step.generator}:`,
        ...step.found.map(({ passage, text, probability }) => `${share(probability)}  ${text}  (${passage})`),
      ];
    case 'selection':
      return describeSelection(step);
  }
}

function describeSelection(step: Extract<TraceStep, { step: 'selection' }>): string[] {
  if (step.answer === null || step.probabilities === null) return ['No answer.'];
  const { entity, passage, answer, joint } = step.probabilities;
  const rule = step.by === 'joint' ? 'the likeliest path' : 'the vote of all paths';
  const lines = [
    `Answer by ${rule}: ${step.answer}`,
    `entity ${share(entity)} x passage ${share(passage)} x answer ${share(answer)} = ${share(joint)}` +
      `  (${step.entity === null ? '' : `${step.entity}, `}${step.passage})`,
  ];
  if (step.otherwise !== null) {
    lines.push(
      `By ${step.by === 'joint' ? 'the vote of all paths' : 'the likeliest path'} it would be: ${step.otherwise}`,
    );
  }
  return lines;
}

function share(probability: number): string {
  return `${(100 * probability).toFixed(1)} %`.padStart(7);
}
