import { describe, expect, it } from 'vitest';
import { centroidFeedback, refineQuery, searchWithFeedback } from '../../../src/feedback/index.js';
import {
  type FUSION_METHODS,
  type Fusion,
  fuse as fuseLists,
  type NORMALISATIONS,
  type Normalisation,
  normalise as normaliseList,
} from '../../../src/fusion/index.js';
import {
  aggregateByGroup,
  GROUP_SCORES,
  type MULTI_VECTOR_SCORES,
  scoreDocuments,
} from '../../../src/granularity/index.js';
import {
  aggregate,
  approximate,
  cut,
  dense,
  type FuseOptions,
  feedback,
  fuse,
  lateInteraction,
  type MaxSimOptions,
  maxsim,
  type NormaliseOptions,
  normalise,
  type PipelineResult,
  type PipelineStage,
  pipeline,
  sparse,
} from '../../../src/pipeline/index.js';
import { firstPlaces, type RankedList, rankedList } from '../../../src/ranking/ranked-list.js';
import { matrix } from '../../../src/vectors/matrix.js';
import {
  denseSearch,
  documentOf,
  entityOf,
  LENGTHS,
  madeSources,
  QUERY,
  QUERY_TOKENS,
  QUERY_VECTOR,
  ROWS,
  SPARSE,
  tokenSearch,
  tokensOf,
  vectorsOf,
} from './made-sources.js';

const run = (stages: readonly PipelineStage[], k?: number): Promise<PipelineResult> =>
  pipeline(stages, { sources: madeSources().sources }).retrieve(QUERY, { k });

const listOf = async (stages: readonly PipelineStage[], k?: number): Promise<RankedList> =>
  (await run(stages, k)).list;

const plain = ({ rows, scores }: RankedList): RankedList => ({ rows, scores });
const all = [...Array(ROWS).keys()];
const STATISTICS = [
  { mean: 1, deviation: 2 },
  { mean: 2, deviation: 0.5 },
];

describe('searches', () => {
  it('put the list of their source on the stack', async () => {
    expect(await listOf([dense({ k: 7 })])).toEqual(denseSearch(QUERY_VECTOR, 7));
    expect(await listOf([sparse({ k: 3 })])).toEqual(firstPlaces(SPARSE, 3));
    expect(await listOf([lateInteraction({ k: 9 })])).toEqual(plain(tokenSearch(QUERY_TOKENS, 9, all)));
    expect(await listOf([approximate()])).toEqual(SPARSE);
  });

  it('say what matched, or that they may have missed something', async () => {
    const { list, evidence } = await run([lateInteraction({ k: 4 })]);
    expect(evidence.map(({ matches }) => matches)).toEqual(
      tokenSearch(QUERY_TOKENS, 4, all).matches.map((tokens) => ({ tokens })),
    );
    expect(list.rows).toHaveLength(4);
    expect((await run([approximate()])).stages[0]!.details).toEqual({ approximate: true });
  });
});

/** The options of a method, by their names. */
type OptionsOf<All extends { method: string }, Method> = Exclude<
  keyof Extract<All, { method: Method }>,
  'method'
>;
/** No method has an option that its stage lacks, and the other way round: else this is no `never`. */
type Differing<A extends { method: string }, B extends { method: string }> = {
  [Method in A['method'] | B['method']]:
    | Exclude<OptionsOf<A, Method>, OptionsOf<B, Method>>
    | Exclude<OptionsOf<B, Method>, OptionsOf<A, Method>>;
}[A['method'] | B['method']];
const NO_FUSION_DIFFERS: Differing<Fusion, FuseOptions> extends never ? true : false = true;
const NO_NORMALISATION_DIFFERS: Differing<Exclude<Normalisation, string>, NormaliseOptions> extends never
  ? true
  : false = true;

const NORMALISING: Record<keyof typeof NORMALISATIONS, NormaliseOptions> = {
  none: { method: 'none' },
  zmuv: { method: 'zmuv' },
  'global-zmuv': { method: 'global-zmuv', mean: 1, deviation: 2 },
  'min-max': { method: 'min-max' },
  softmax: { method: 'softmax', temperature: 0.5 },
  max: { method: 'max' },
  sum: { method: 'sum' },
  rank: { method: 'rank' },
};

const FUSING: Record<keyof typeof FUSION_METHODS, FuseOptions> = {
  'comb-sum': { method: 'comb-sum', weights: [2, 1], normalisation: 'zmuv', missing: 'minimum' },
  'comb-mnz': { method: 'comb-mnz' },
  'weighted-sum': {
    method: 'weighted-sum',
    weights: [0.7, -0.3],
    normalisation: ['none', { method: 'softmax', temperature: 0.1 }],
  },
  rrf: { method: 'rrf', k: 10, weights: [1, 3] },
  'average-rank': { method: 'average-rank' },
  borda: { method: 'borda', weights: [2, 1] },
  'score-based': { method: 'score-based', weights: 'dpr + clip', statistics: STATISTICS },
  'dempster-shafer': { method: 'dempster-shafer', alpha: 0.6, fullBelief: 5 },
};

describe('normalise and fuse', () => {
  it('take every option of their methods', () => {
    expect([NO_FUSION_DIFFERS, NO_NORMALISATION_DIFFERS]).toEqual([true, true]);
  });

  it.each(Object.values(NORMALISING))('normalise every list by $method', async (options) => {
    expect(await listOf([sparse(), normalise(options)])).toEqual(normaliseList(SPARSE, options));
    const both = [dense(), sparse(), normalise(options), fuse({ method: 'comb-sum', normalisation: 'none' })];
    const lists = [denseSearch(QUERY_VECTOR, 100), SPARSE].map((list) => normaliseList(list, options));
    expect(await listOf(both)).toEqual(fuseLists(lists, { method: 'comb-sum', normalisation: 'none' }));
  });

  it.each(Object.values(FUSING))('fuse by $method', async (options) => {
    const lists = [denseSearch(QUERY_VECTOR, 8), SPARSE];
    expect(await listOf([dense({ k: 8 }), sparse(), fuse(options)])).toEqual(fuseLists(lists, options));
  });

  it('fuse by the defaults of the methods', async () => {
    const lists = [denseSearch(QUERY_VECTOR, 8), SPARSE];
    for (const method of [
      'comb-sum',
      'comb-mnz',
      'rrf',
      'average-rank',
      'borda',
      'dempster-shafer',
    ] as const) {
      expect(await listOf([dense({ k: 8 }), sparse(), fuse({ method })])).toEqual(
        fuseLists(lists, { method }),
      );
    }
  });
});

describe('feedback', () => {
  const steps = {
    search: async (query: Float32Array) => denseSearch(query, 20),
    vectorsOf: async (rows: Uint32Array) => vectorsOf(rows),
    refine: (query: Float32Array, found: ReturnType<typeof vectorsOf>) =>
      refineQuery(query, found, { method: 'rocchio' }),
  };
  const k = 20;
  const again = feedback({ method: 'rocchio', m: 4, k });
  const mixed = fuse({
    method: 'weighted-sum',
    weights: [0.7, 0.3],
    normalisation: 'none',
    missing: 'minimum',
  });

  it.each<['before' | 'after' | 'both', PipelineStage[]]>([
    ['before', [dense({ k }), sparse(), mixed, again]],
    ['after', [dense({ k }), again, sparse(), mixed]],
    ['both', [dense({ k }), sparse(), mixed, again, sparse(), mixed]],
  ])('with interpolation %s is an order of stages', async (where, stages) => {
    const { list } = await searchWithFeedback(QUERY_VECTOR, steps, {
      documents: 4,
      sparse: { list: SPARSE, weight: 0.3, where },
    });
    expect(await listOf(stages)).toEqual(list);
  });

  it('passes the options of its methods on, and their defaults', async () => {
    const first = denseSearch(QUERY_VECTOR, 100);
    for (const [options, m] of [
      [{ method: 'average' }, 3],
      [{ method: 'average', m: 2, normalise: true }, 2],
      [{ method: 'rocchio' }, 5],
      [{ method: 'rocchio', alpha: 0.1, beta: 2 }, 5],
    ] as const) {
      const { m: _, ...method } = { m: 0, ...options };
      const moved = refineQuery(QUERY_VECTOR, vectorsOf(first.rows.slice(0, m)), method);
      const { list, stages } = await run([dense(), feedback(options)]);
      expect(list).toEqual(denseSearch(moved, 100));
      expect(stages[1]!.details).toEqual({ feedback: [...first.rows.slice(0, m)] });
    }
  });

  it('adds centroids to the vectors of late interaction', async () => {
    const first = tokenSearch(QUERY_TOKENS, 100, all);
    const { data } = tokensOf(first.rows.slice(0, 2));
    const options = { clusters: 3, add: 2, beta: 0.5, normalise: true };
    const { query } = await centroidFeedback(QUERY_TOKENS, matrix(data, 4), options);
    expect(query.rows).toBe(QUERY_TOKENS.rows + 2);
    const { list, evidence } = await run(
      [lateInteraction(), feedback({ method: 'centroid', m: 2, ...options })],
      5,
    );
    const expected = tokenSearch(query, 100, all);
    expect(list).toEqual(firstPlaces(expected, 5));
    expect(evidence[0]).toEqual({ matches: { tokens: expected.matches[0] } });
  });

  it('is not used where the margin is too small or nothing was found', async () => {
    const { list, stages } = await run([dense(), feedback({ method: 'rocchio', minimumMargin: 1e6 })]);
    expect(list).toEqual(denseSearch(QUERY_VECTOR, 100));
    expect(stages[1]!.details).toEqual({ feedback: [] });
    const { sources } = madeSources();
    const empty = {
      ...sources,
      sparse: { words: { ...sources.sparse!['words']!, search: async () => rankedList([], []) } },
    };
    const nothing = await pipeline([sparse(), feedback({ method: 'average', k: 3 })], {
      sources: empty,
    }).retrieve(QUERY);
    expect(nothing.list).toEqual(denseSearch(QUERY_VECTOR, 3));
  });

  it('leaves the moved query to later stages', async () => {
    const moved = refineQuery(QUERY_VECTOR, vectorsOf(SPARSE.rows.slice(0, 3)), { method: 'average' });
    const stages = [
      sparse(),
      feedback({ method: 'average' }),
      cut({ k: 1 }),
      dense({ k: 4 }),
      fuse({ method: 'rrf' }),
    ];
    const lists = [firstPlaces(denseSearch(moved, 100), 1), denseSearch(moved, 4)];
    expect(await listOf(stages)).toEqual(fuseLists(lists, { method: 'rrf' }));
    const twice = [dense(), feedback({ method: 'average', m: 1 }), feedback({ method: 'average', m: 1 })];
    let query = QUERY_VECTOR;
    for (let i = 0; i < 2; i++) {
      query = refineQuery(query, vectorsOf(denseSearch(query, 1).rows), { method: 'average' });
    }
    expect(await listOf(twice)).toEqual(denseSearch(query, 100));
  });
});

const SCORING: Record<keyof typeof MULTI_VECTOR_SCORES, MaxSimOptions> = {
  maxsim: { score: 'maxsim' },
  'mean-maxsim': { score: 'mean-maxsim' },
  'smooth-maxsim': { score: 'smooth-maxsim', temperature: 0.3 },
  'top-mean': { score: 'top-mean', most: 2 },
  filip: { score: 'filip', direction: 'document-to-query' },
  pacl: { score: 'pacl', temperature: 0.2 },
  sparc: { score: 'sparc' },
  flair: { score: 'flair', temperature: 0.2 },
  'bi-isa': { score: 'bi-isa', temperature: 0.2 },
};

describe('maxsim', () => {
  it.each(Object.values(SCORING))('scores the candidates by $score', async (options) => {
    const rows = [3, 17, 8, 29];
    const { score = 'maxsim', ...rest } = options;
    const scored = await scoreDocuments(QUERY_TOKENS, tokensOf(rows), score, rest as object);
    const expected = rankedList(rows, score === 'maxsim' ? scored.scores.map(Math.fround) : scored.scores);
    const { list, evidence } = await run([sparse(), maxsim({ candidates: 4, ...options })]);
    expect(list).toEqual(expected);
    expect(evidence).toEqual(
      Array.from(list.rows, (row) => ({ matches: { tokens: scored.matches(rows.indexOf(row)) } })),
    );
  });

  it('leaves out rows without vectors, which no later stage could fuse', async () => {
    for (const score of ['maxsim', 'filip'] as const) {
      const { list } = await run([dense(), maxsim({ score }), normalise({ method: 'min-max' })]);
      expect([...list.rows].toSorted((a, b) => a - b)).toEqual(all.filter((row) => LENGTHS[row]! > 0));
    }
  });

  it('scores by maxsim and the first 100 rows by default, and nothing of an empty list', async () => {
    const { stages } = pipeline([dense(), maxsim()], { sources: madeSources().sources });
    expect(stages[1]).toEqual({ stage: 'maxsim', source: 'tokens', score: 'maxsim', candidates: 100 });
    const { asked, sources } = madeSources();
    const none = {
      ...sources,
      sparse: { words: { ...sources.sparse!['words']!, search: async () => rankedList([], []) } },
    };
    expect((await pipeline([sparse(), maxsim()], { sources: none }).retrieve(QUERY)).list.rows).toHaveLength(
      0,
    );
    expect(asked).toEqual([]);
  });
});

describe('aggregate', () => {
  it.each(Object.keys(GROUP_SCORES) as (keyof typeof GROUP_SCORES)[])(
    'forms documents by %s',
    async (method) => {
      const found = denseSearch(QUERY_VECTOR, 30);
      const ids = [...new Set([...found.rows].map(documentOf))].filter((id) => id !== undefined);
      const number = (row: number) => {
        const id = documentOf(row);
        return id === undefined ? undefined : ids.indexOf(id);
      };
      const expected = aggregateByGroup(found, number, { method, most: 1 });
      const result = await run([dense({ k: 30 }), aggregate({ by: 'document', method, m: 1 })]);
      expect(result.level).toBe('document');
      expect(result.list).toEqual(plain(expected));
      expect(result.ids).toEqual([...expected.rows].map((row) => ids[row]));
      expect(result.evidence).toEqual(
        [...expected.evidence].map((row) => ({ best: { passage: { row, id: `p${row}` } } })),
      );
    },
  );

  it('gives groups of several lists the same rows, so that they can be fused, with the matches of their best rows', async () => {
    const stages = [
      lateInteraction({ k: 6 }),
      sparse(),
      aggregate({ by: 'entity' }),
      fuse({ method: 'comb-sum' }),
    ];
    const { list, ids, evidence } = await run(stages);
    const found = tokenSearch(QUERY_TOKENS, 6, all);
    const names = [...new Set([...found.rows, ...SPARSE.rows].map(entityOf))];
    const lists = [found, SPARSE].map((one) =>
      plain(aggregateByGroup(one, (row) => names.indexOf(entityOf(row)))),
    );
    expect(list).toEqual(fuseLists(lists, { method: 'comb-sum' }));
    expect(ids).toEqual([...list.rows].map((row) => names[row]));
    for (const [place, id] of ids!.entries()) {
      const best = found.rows.findIndex((row) => entityOf(row) === id);
      if (best === -1) {
        expect(evidence[place]!.matches).toBeUndefined();
        const row = SPARSE.rows.find((one) => entityOf(one) === id)!;
        expect(evidence[place]!.best).toEqual({ passage: { row, id: `p${row}` } });
      } else {
        expect(evidence[place]!.matches).toEqual({ tokens: found.matches[best] });
        expect(evidence[place]!.best!['passage']!.row).toBe(found.rows[best]);
      }
    }
  });

  it('leaves lists of that level as they are', async () => {
    const once = await run([dense(), aggregate({ by: 'entity' })]);
    const twice = await run([
      dense(),
      aggregate({ by: 'entity' }),
      aggregate({ by: 'entity', method: 'sum' }),
    ]);
    expect([twice.list, twice.ids, twice.evidence]).toEqual([once.list, once.ids, once.evidence]);
  });
});

it('cut leaves the first places of every list', async () => {
  const lists = [firstPlaces(denseSearch(QUERY_VECTOR, 100), 2), firstPlaces(SPARSE, 2)];
  expect(await listOf([dense(), sparse(), cut({ k: 2 }), fuse({ method: 'rrf' })])).toEqual(
    fuseLists(lists, { method: 'rrf' }),
  );
});
