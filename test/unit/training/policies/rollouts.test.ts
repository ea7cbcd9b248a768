import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  bernoulliLogProbability,
  decisionAccuracyReward,
  exactMatchReward,
  groupAdvantages,
  keptCandidates,
  keptCountReward,
  ndcgReward,
  type PolicyQuestion,
  plackettLuceLogProbability,
  type RolloutGroup,
  readRollouts,
  rolloutFilter,
  rolloutRanking,
  writeRollouts,
} from '../../../../src/training/policies/index.js';

const question: PolicyQuestion = {
  id: 'q1',
  prompt: 'Which flag has a maple leaf?\n"…"',
  candidates: ['pe', 'ca', 'jp', 'lb'],
  scores: [0.25, 1 / 3, -1.5, 0.9],
  relevance: [0, 2, 0, 1],
  answers: ['Canada'],
};
const RANKING = { rewards: { ndcg: ndcgReward(4) }, rollouts: 12, temperature: 0.7, seed: 4 };
const FILTER = {
  rewards: { right: { reward: decisionAccuracyReward, weight: 2 }, format: keptCountReward() },
  rollouts: 12,
  temperature: 0.7,
  seed: 4,
};

describe('rollouts of rankings', () => {
  test('carry log-probability, rewards and advantage', async () => {
    const group = await rolloutRanking(question, { ...RANKING, places: 3 });
    expect(group).toMatchObject({ policy: 'plackett-luce', question, temperature: 0.7 });
    expect(group.rollouts).toHaveLength(12);
    const advantages = groupAdvantages(group.rollouts.map(({ reward }) => reward));
    for (const [i, { ranking, logProbability, rewards, reward, advantage }] of group.rollouts.entries()) {
      expect(ranking).toHaveLength(3);
      const exact = plackettLuceLogProbability(question.scores, ranking, { temperature: 0.7 });
      expect(logProbability).toBe(exact.logProbability);
      expect(rewards).toEqual({ ndcg: ndcgReward(4)({ question, ranking }) });
      expect(reward).toBe(rewards['ndcg']);
      expect(advantage).toBe(advantages[i]);
    }
    expect(new Set(group.rollouts.map(({ ranking }) => ranking.join())).size).toBeGreaterThan(3);
    const rewards = group.rollouts.map(({ reward }) => reward);
    const smaller = await rolloutRanking(question, { ...RANKING, places: 3, epsilon: 2 });
    expect(smaller.rollouts.map(({ advantage }) => advantage)).toEqual([
      ...groupAdvantages(rewards, { epsilon: 2 }),
    ]);
  });

  test('depend on seed and question, not on what was asked before', async () => {
    const rankings = async (asked: PolicyQuestion, seed: number) =>
      (await rolloutRanking(asked, { ...RANKING, seed })).rollouts.map(({ ranking }) => ranking);
    const first = await rankings(question, 4);
    const other = await rankings({ ...question, id: 'q2' }, 4);
    expect(other).not.toEqual(first);
    expect(await rankings(question, 5)).not.toEqual(first);
    expect(await rankings(question, 4)).toEqual(first);
  });

  test('are answered from the candidates in their order, and rewarded together', async () => {
    const group = await rolloutRanking(question, {
      ...RANKING,
      rewards: { ...RANKING.rewards, answer: { reward: exactMatchReward, weight: 0.5 } },
      places: 2,
      answer: async ({ id }, [best]) => (id === 'q1' && best === 'ca' ? 'canada' : null),
    });
    for (const { ranking, answer, rewards, reward } of group.rollouts) {
      const right = ranking[0] === 1;
      expect(answer).toBe(right ? 'canada' : null);
      expect(rewards['answer']).toBe(right ? 1 : 0);
      expect(reward).toBe(rewards['ndcg']! + 0.5 * rewards['answer']!);
    }
    expect(new Set(group.rollouts.map(({ answer }) => answer)).size).toBe(2);
  });

  test('of one candidate, and of one rollout, teach nothing and break nothing', async () => {
    const one = { id: 'one', candidates: ['x'], scores: [1000], relevance: [1] };
    for (const { logProbability, advantage } of (await rolloutRanking(one, RANKING)).rollouts) {
      expect([logProbability, advantage]).toEqual([0, 0]);
    }
    const { rollouts } = await rolloutRanking(question, { ...RANKING, rollouts: 1 });
    expect(rollouts.map(({ advantage }) => advantage)).toEqual([0]);
  });

  test.each([
    ['scores of another length', { scores: [1] }, {}, 'LENGTH_MISMATCH'],
    ['relevance of another length', { relevance: [1] }, {}, 'LENGTH_MISMATCH'],
    ['no candidates', { candidates: [], scores: [], relevance: [] }, {}, 'INVALID_ARGUMENT'],
    ['no rollouts', {}, { rollouts: 0 }, 'INVALID_ARGUMENT'],
    ['too many places', {}, { places: 5 }, 'INVALID_ARGUMENT'],
    ['an unknown option', {}, { temprature: 1 }, 'INVALID_ARGUMENT'],
    ['a reward of NaN', {}, { rewards: { own: () => Number.NaN } }, 'NOT_FINITE'],
  ])('are refused for %s', async (_, asked, options, code) => {
    await expect(rolloutRanking({ ...question, ...asked }, { ...RANKING, ...options })).rejects.toMatchObject(
      {
        code,
      },
    );
  });

  test('pass on what the answerer throws', async () => {
    const answer = () => Promise.reject(new Error('no model'));
    await expect(rolloutRanking(question, { ...RANKING, answer })).rejects.toThrow('no model');
  });
});

describe('rollouts of a filter', () => {
  test('carry log-probability, rewards and advantage', async () => {
    const group = await rolloutFilter(question, FILTER);
    expect(group).toMatchObject({ policy: 'bernoulli', question, temperature: 0.7 });
    for (const { kept, logProbability, rewards, reward } of group.rollouts) {
      const exact = bernoulliLogProbability(question.scores, kept, { temperature: 0.7 });
      expect(logProbability).toBe(exact.logProbability);
      expect(rewards).toEqual({
        right: decisionAccuracyReward({ question, kept }),
        format: kept.includes(true) ? 1 : 0,
      });
      expect(reward).toBe(2 * rewards['right']! + rewards['format']!);
    }
    expect(await rolloutFilter(question, FILTER)).toEqual(group);
    expect(new Set(group.rollouts.map(({ kept }) => kept.join())).size).toBeGreaterThan(3);
  });

  test('are answered from what was kept', async () => {
    const answer = (_: PolicyQuestion, kept: readonly string[]) => kept.join(' ');
    for (const rollout of (await rolloutFilter(question, { ...FILTER, answer })).rollouts) {
      expect(rollout.answer).toBe(question.candidates.filter((_, i) => rollout.kept[i]).join(' '));
    }
  });

  test('leave a question for the ranking, which still misses what was dropped', async () => {
    const left = keptCandidates(question, [true, false, false, true], [5, 6, 7, 8]);
    expect(left).toEqual({
      ...question,
      candidates: ['pe', 'lb'],
      scores: [5, 8],
      relevance: [0, 1],
      judged: [0, 2, 0, 1],
    });
    expect(ndcgReward()({ question: left, ranking: [1, 0] })).toBeCloseTo(1 / (2 + 1 / Math.log2(3)), 14);
    const twice = keptCandidates(left, [false, true], [1, 2]);
    expect(twice.judged).toEqual([0, 2, 0, 1]);
    expect(() => keptCandidates(question, [false, false, false, false], [0, 0, 0, 0])).toThrow('q1');
    expect(() => keptCandidates(question, [true], [0, 0, 0, 0])).toThrow('1 decisions');
    expect(() => keptCandidates(question, [true, true, true, true], [0])).toThrow('1 scores');
  });
});

describe('a file of rollouts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'granule-rollouts-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = async (file: string) => {
    const groups: RolloutGroup[] = [];
    for await (const group of readRollouts(file)) groups.push(group);
    return groups;
  };

  test.each(['rollouts.jsonl', 'rollouts.jsonl.gz'])('%s reads back as it was written', async (name) => {
    const file = join(folder, name);
    const groups: RolloutGroup[] = [
      await rolloutFilter(question, FILTER),
      await rolloutRanking(
        { id: 'bare', candidates: ['x', 'y'], scores: [1e-300, -1e3] },
        {
          rewards: { third: () => 1 / 3 },
          answer: () => null,
        },
      ),
    ];
    await writeRollouts(file, groups);
    expect(await read(file)).toEqual(groups);
  });

  test('is one object per line, as documented', async () => {
    const file = join(folder, 'lines.jsonl');
    await writeRollouts(file, [await rolloutRanking(question, RANKING)]);
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines).toHaveLength(2);
    const line = JSON.parse(lines[0]!);
    expect(Object.keys(line)).toEqual(['policy', 'question', 'temperature', 'rollouts']);
    expect(Object.keys(line.rollouts[0])).toEqual([
      'ranking',
      'logProbability',
      'rewards',
      'reward',
      'advantage',
    ]);
  });

  const rollout = { ranking: [1, 0], logProbability: -1, rewards: { r: 1 }, reward: 1, advantage: 0 };
  const asked = { id: 'q', candidates: ['a', 'b'], scores: [1, 2] };
  const group = { policy: 'plackett-luce', question: asked, temperature: 1, rollouts: [rollout] };
  const { ranking: _, ...decided } = { ...rollout, kept: [true, false] };
  const filter = { ...group, policy: 'bernoulli', rollouts: [decided] };

  test('takes lines of both kinds', async () => {
    const file = join(folder, 'both.jsonl');
    writeFileSync(file, `${JSON.stringify(group)}\n${JSON.stringify(filter)}`);
    expect(await read(file)).toEqual([group, filter]);
  });

  test.each([
    ['no JSON', '{', 'not JSON'],
    ['an empty line', '', 'not JSON'],
    ['no object', [], 'group must be an object'],
    ['another policy', { ...group, policy: 'greedy' }, 'plackett-luce, bernoulli'],
    ['an unknown field', { ...group, more: 1 }, 'group.more'],
    ['a temperature of 0', { ...group, temperature: 0 }, 'group.temperature'],
    ['no score for a candidate', { ...group, question: { ...asked, scores: [1] } }, 'scores has 1'],
    ['no relevance for one', { ...group, question: { ...asked, relevance: [1] } }, 'relevance has 1'],
    ['no candidate', { ...group, question: { ...asked, candidates: [], scores: [] } }, 'no candidate'],
    ['no rollouts', { ...group, rollouts: [] }, 'rollouts is empty'],
    ['a candidate twice', { ...group, rollouts: [{ ...rollout, ranking: [1, 1] }] }, 'rollouts[0].ranking'],
    ['an unknown candidate', { ...group, rollouts: [{ ...rollout, ranking: [2, 0] }] }, 'not one of 2'],
    ['an empty ranking', { ...group, rollouts: [{ ...rollout, ranking: [] }] }, 'ranking is empty'],
    ['fewer places', { ...group, rollouts: [rollout, { ...rollout, ranking: [1] }] }, 'rollouts[1].ranking'],
    [
      'a probability above 1',
      { ...group, rollouts: [{ ...rollout, logProbability: 0.1 }] },
      'logProbability',
    ],
    ['a reward that is no number', { ...group, rollouts: [{ ...rollout, rewards: { r: '1' } }] }, 'rewards'],
    ['no advantage', { ...group, rollouts: [{ ...rollout, advantage: null }] }, 'advantage'],
    ['an answer that is no text', { ...group, rollouts: [{ ...rollout, answer: 3 }] }, 'answer'],
    ['decisions of another length', { ...filter, rollouts: [{ ...decided, kept: [true] }] }, 'kept has 1'],
    ['a ranking in a filter', { ...filter, rollouts: [rollout] }, 'rollouts[0].ranking'],
  ])('is refused for %s, by file and line', async (_, line, reason) => {
    const file = join(folder, 'refused.jsonl');
    const text = typeof line === 'string' ? line : JSON.stringify(line);
    writeFileSync(file, `${JSON.stringify(group)}\n${text}\n`);
    await expect(read(file)).rejects.toMatchObject({
      code: 'EVALUATION_FILE_INVALID',
      message: expect.stringContaining(`${file}:2: `),
      details: { file, line: 2 },
    });
    await expect(read(file)).rejects.toThrow(reason);
  });

  test('that is not there is FILE_NOT_FOUND', async () => {
    await expect(read(join(folder, 'absent.jsonl'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
