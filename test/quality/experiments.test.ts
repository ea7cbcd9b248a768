import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** A few of each kind that are quick: all of them take minutes, and are run by hand. */
const QUICK = [
  'questions/bm25-stemmed',
  'questions/weighted-sum',
  'questions/feedback-both',
  'clues/dense-max',
  'clues/interactive-aggregation',
  'conditions/dense-union',
  'several-questions/facets',
  'routing/routes',
];

const QUICK_OF_CRANFIELD = ['cranfield/feedback-fused', 'cranfield-by-example/comb-sum'];
const hasCranfield = existsSync('../shared/data/cranfield/corpus.jsonl');

interface Outcome {
  readonly code: number;
  readonly output: string;
}

async function runExperiments(...args: readonly string[]): Promise<Outcome> {
  const command = promisify(execFile)(process.execPath, ['scripts/run-experiments.mjs', ...args]);
  try {
    return { code: 0, output: (await command).stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

describe('experiments', () => {
  it('give the figures in their files, which the document shows', { timeout: 120_000 }, async () => {
    const { code, output } = await runExperiments(...QUICK);
    expect(output).toMatch(new RegExp(`experiments: ${QUICK.length} passed, 0 failed\\s*$`));
    expect(code).toBe(0);
  });

  it.skipIf(!hasCranfield)(
    `give those of Cranfield${hasCranfield ? '' : ' (skipped: ../shared/data is absent)'}`,
    { timeout: 120_000 },
    async () => {
      const { code, output } = await runExperiments(...QUICK_OF_CRANFIELD);
      expect(output).toMatch(/experiments: 2 passed, 0 failed\s*$/);
      expect(code).toBe(0);
    },
  );

  it('fail where a figure differs in its last digit, and where the document does not show it', {
    timeout: 120_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'granule-experiments-'));
    try {
      cpSync('test/quality/experiments', folder, { recursive: true });
      const file = join(folder, 'clues', 'dense-max.json');
      const experiment = JSON.parse(readFileSync(file, 'utf8')) as { expected: { recip_rank: number } };
      const { recip_rank } = experiment.expected;
      const altered = Number((recip_rank + 0.0001).toFixed(4));
      writeFileSync(
        file,
        JSON.stringify({ ...experiment, expected: { ...experiment.expected, recip_rank: altered } }),
      );
      const { code, output } = await runExperiments('clues/dense-max', '--folder', folder);
      expect(output).toContain(`recip_rank is ${recip_rank}, expected ${altered}`);
      expect(output).toContain('docs/experiments.md does not show what the files expect');
      expect(output).toMatch(/experiments: 0 passed, 2 failed\s*$/);
      expect(code).toBe(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('are refused by name where there is none', async () => {
    const { code, output } = await runExperiments('questions/nothing');
    expect(output).toContain('there is no experiment questions/nothing');
    expect(code).toBe(1);
  });
});

describe('the figures in the files', () => {
  const expected = (name: string) => {
    const file = readFileSync(join('test/quality/experiments', `${name}.json`), 'utf8');
    return (JSON.parse(file) as { expected: Record<string, number> }).expected;
  };

  it('are the same for a certified search over pooled patches as for MaxSim itself', () => {
    expect(expected('pictures/pooled-ward-certified')).toEqual(expected('pictures/maxsim'));
  });

  it('show that a condition is met or not by itself, and that all at once are not', () => {
    const first = (name: string) => expected(`conditions/${name}`)['P_1']!;
    expect(first('condition-min')).toBeGreaterThan(first('condition-sum') + 0.1);
    expect(first('condition-sum')).toBeGreaterThan(first('dense-max') + 0.1);
    expect(first('bm25-union')).toBeGreaterThan(first('bm25-max') + 0.1);
  });

  it('show the evidence for a match to be what the score rests on', () => {
    const evidence = expected('explanations/words-evidence');
    const random = expected('explanations/words-random');
    expect(evidence['deletion']).toBeLessThan(random['deletion']! - 0.1);
    expect(evidence['insertion']).toBeGreaterThan(random['insertion']! + 0.1);
  });

  it('show what a layout says about passages and images to be worth knowing', () => {
    const found = (name: string) => expected(`mixed/${name}`)['ndcg_cut_10']!;
    expect(found('triples-layout')).toBeGreaterThan(found('triples') + 0.02);
    expect(found('triples-layout')).toBeGreaterThan(found('triples-layout-near'));
  });

  it('of BM25 on Cranfield are as published, and better with stems', () => {
    const { map } = expected('cranfield/bm25-plain');
    expect(Math.abs(map! - 0.28)).toBeLessThan(0.003);
    const stemmed = expected('cranfield/bm25-stemmed');
    expect(stemmed['difference']).toBeGreaterThan(0);
    expect(stemmed['p']).toBeLessThan(0.001);
  });

  it('show fusion and feedback to be better than BM25 alone on Cranfield', () => {
    for (const name of [
      'cranfield/feedback-dense',
      'cranfield/feedback-fused',
      'cranfield-by-example/rrf',
      'cranfield-by-example/comb-sum',
      'cranfield-by-example/feedback-both',
    ]) {
      const { difference, p } = expected(name);
      expect(difference, name).toBeGreaterThan(0.03);
      expect(p, name).toBeLessThan(0.001);
    }
  });
});
