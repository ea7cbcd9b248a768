import { Type } from '@sinclair/typebox';
import { firstFault } from '../../../pipeline/option-faults.js';
import type { FilterRollout, RankingRollout, RolloutGroup } from './rollout.js';

const strict = { additionalProperties: false };
const numbers = Type.Array(Type.Number());
const question = Type.Object(
  {
    id: Type.String(),
    prompt: Type.Optional(Type.String()),
    candidates: Type.Array(Type.String()),
    scores: numbers,
    relevance: Type.Optional(numbers),
    judged: Type.Optional(numbers),
    answers: Type.Optional(Type.Array(Type.String())),
  },
  strict,
);
const outcome = {
  logProbability: Type.Number({ maximum: 0 }),
  answer: Type.Optional(Type.Unknown()),
  rewards: Type.Record(Type.String(), Type.Number()),
  reward: Type.Number(),
  advantage: Type.Number(),
};
const temperature = Type.Number({ exclusiveMinimum: 0 });
const group = Type.Union([
  Type.Object(
    {
      policy: Type.Literal('plackett-luce'),
      question,
      temperature,
      rollouts: Type.Array(Type.Object({ ranking: Type.Array(Type.Integer()), ...outcome }, strict)),
    },
    strict,
  ),
  Type.Object(
    {
      policy: Type.Literal('bernoulli'),
      question,
      temperature,
      rollouts: Type.Array(Type.Object({ kept: Type.Array(Type.Boolean()), ...outcome }, strict)),
    },
    strict,
  ),
]);

/** What keeps a value from being a group of rollouts, in words; undefined where it is one. */
export function rolloutGroupFault(value: unknown): string | undefined {
  const fault = firstFault(group, value, 'group');
  if (fault !== undefined) return `${fault.place} ${fault.reason}`;
  const { question, rollouts, policy } = value as RolloutGroup;
  const candidates = question.candidates.length;
  if (candidates === 0) return 'group.question has no candidate';
  if (rollouts.length === 0) return 'group.rollouts is empty';
  for (const name of ['scores', 'relevance'] as const) {
    const length = question[name]?.length ?? candidates;
    if (length !== candidates)
      return `group.question.${name} has ${length} entries for ${candidates} candidates`;
  }
  for (const [i, rollout] of rollouts.entries()) {
    const { answer } = rollout;
    const reason =
      answer !== undefined && answer !== null && typeof answer !== 'string'
        ? 'answer must be a string or null'
        : policy === 'bernoulli'
          ? keptFault(rollout as FilterRollout, candidates)
          : rankingFault(rollout as RankingRollout, candidates, rollouts[0] as RankingRollout);
    if (reason !== undefined) return `group.rollouts[${i}].${reason}`;
  }
  return undefined;
}

function keptFault({ kept }: FilterRollout, candidates: number): string | undefined {
  return kept.length === candidates
    ? undefined
    : `kept has ${kept.length} entries for ${candidates} candidates`;
}

function rankingFault(
  { ranking }: RankingRollout,
  candidates: number,
  first: RankingRollout,
): string | undefined {
  if (ranking.length === 0) return 'ranking is empty';
  if (ranking.length !== first.ranking.length) return 'ranking has not as many places as the first';
  const known = ranking.every((candidate) => candidate >= 0 && candidate < candidates);
  if (!known) return `ranking names a candidate that is not one of ${candidates}`;
  return new Set(ranking).size === ranking.length ? undefined : 'ranking has a candidate twice';
}
