import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NgramTextEncoder } from '../../../src/encoders/ngram/ngram-text-encoder.js';
import { diversify as diversifyList } from '../../../src/explanation/index.js';
import { refineQuery, searchWithFeedback } from '../../../src/feedback/index.js';
import { fuse as fuseLists } from '../../../src/fusion/index.js';
import { aggregateByGroup } from '../../../src/granularity/index.js';
import { FlatIndex } from '../../../src/index/flat-index.js';
import {
  type PassageSources,
  type PipelineStage,
  passageSources,
  pipeline,
  STAGES,
} from '../../../src/pipeline/index.js';
import { type RankedList, rankedLists } from '../../../src/ranking/ranked-list.js';
import { MemoryPassageStore } from '../../../src/retrievers/memory-passage-store.js';
import { Bm25Index } from '../../../src/text/bm25-index.js';
import { Seeded } from '../../conformance/seeded.js';

const DOCUMENT = readFileSync('docs/pipelines.md', 'utf8');
const [HYBRID, BOTH, ENTITIES] = [...DOCUMENT.matchAll(/```json\n([\s\S]*?)```/g)].map(
  ([, text]) => JSON.parse(text!) as PipelineStage[],
);
const WORDS = ['sea', 'hill', 'river', 'bird', 'tower', 'star', 'island', 'harbour', 'forest', 'king'];
const random = new Seeded(31);
const TEXTS = Array.from({ length: 60 }, () => Array.from({ length: 6 }, () => random.pick(WORDS)).join(' '));
const PASSAGES = TEXTS.map((text, i) => ({ id: `p${i}`, entityId: `e${i % 9}`, text }));
const QUERY = 'a harbour of an island in the sea';

const encoder = new NgramTextEncoder({ dimension: 256 });
let store: MemoryPassageStore;
let bm25: Bm25Index;
let sources: PassageSources;
let query: Float32Array;

beforeAll(async () => {
  encoder.fit(TEXTS);
  const index = new FlatIndex({ dimension: 256 });
  await index.add((await encoder.encodePassages(TEXTS)).vectors);
  store = new MemoryPassageStore({ index, passages: PASSAGES });
  bm25 = new Bm25Index();
  await bm25.add(TEXTS);
  sources = passageSources(store, { encoder });
  query = (await encoder.encodeQueries([QUERY])).vectors.data;
});

afterAll(() => {
  sources[Symbol.dispose]();
  bm25.dispose();
  store.dispose();
});

const byVector = async (data: Float32Array): Promise<RankedList> =>
  rankedLists(await store.searchPassages({ data, rows: 1, columns: 256 }, { k: 100 }))[0]!;
const byWords = async (): Promise<RankedList> =>
  rankedLists(await bm25.search([QUERY], { k: TEXTS.length }))[0]!;
const run = (stages: readonly PipelineStage[] | undefined) =>
  pipeline(stages!, { sources }).retrieve({ text: QUERY });

describe('the examples of docs/pipelines.md', () => {
  it('hybrid search', async () => {
    const { list } = await run(HYBRID);
    expect(list).toEqual(fuseLists([await byVector(query), await byWords()], { method: 'rrf' }));
  });

  it('feedback with interpolation both before and after it', async () => {
    const { list } = await searchWithFeedback(
      query,
      {
        search: byVector,
        vectorsOf: (rows) => store.passageVectors([...rows]),
        refine: (vector, vectors) => refineQuery(vector, vectors, { method: 'rocchio' }),
      },
      { documents: 5, sparse: { list: await byWords(), weight: 0.1, where: 'both' } },
    );
    expect((await run(BOTH)).list).toEqual(list);
  });

  it('from passages to entities, diversified', async () => {
    const passages = fuseLists([await byVector(query), await byWords()], {
      method: 'comb-sum',
      normalisation: 'zmuv',
      missing: 'minimum',
    });
    const names = [...new Set([...passages.rows].map((row) => PASSAGES[row]!.entityId))];
    const entities = aggregateByGroup(passages, (row) => names.indexOf(PASSAGES[row]!.entityId), {
      method: 'sum',
      most: 2,
    });
    const vectors = await store.passageVectors([...entities.evidence]);
    const expected = diversifyList(entities, { vectors, relevance: 0.6 });
    const { list, ids, level } = await run(ENTITIES);
    expect(list).toEqual(expected);
    expect(level).toBe('entity');
    expect(ids).toEqual([...expected.rows].map((row) => names[row]));
  });
});

it('the table of stages has a line for every stage, with the defaults of each', () => {
  const lines = [...DOCUMENT.matchAll(/^\| `(\w+)` \| (?:n|1|2|2 or more) -> .*$/gm)];
  expect(lines.map(([, stage]) => stage).toSorted()).toEqual(Object.keys(STAGES).toSorted());
  for (const [line, stage] of lines) {
    const schema = STAGES[stage as keyof typeof STAGES].schema as {
      properties?: Record<string, { default?: unknown }>;
    };
    for (const [option, { default: value }] of Object.entries(schema.properties ?? {})) {
      if (stage === 'guidedRefinement' && !['source', 'kind'].includes(option)) continue;
      const shown = typeof value === 'string' ? `\`${option}\` \`${value}\`` : `\`${option}\` ${value}`;
      expect(line).toContain(value === undefined ? `\`${option}\`` : shown);
    }
  }
});
