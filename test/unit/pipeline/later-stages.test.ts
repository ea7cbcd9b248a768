import { describe, expect, it } from 'vitest';
import { jitterQuery, resultDispersion } from '../../../src/composition/index.js';
import { diversify as diversifyList } from '../../../src/explanation/index.js';
import { guidedRefinement as refine } from '../../../src/feedback/index.js';
import {
  aggregate,
  dense,
  diversify,
  fuse,
  guidedRefinement,
  jitter,
  lateInteraction,
  maxsim,
  type PipelineStage,
  pipeline,
  sparse,
} from '../../../src/pipeline/index.js';
import { firstPlaces, rankedList, rowsOfAny } from '../../../src/ranking/ranked-list.js';
import { matrix } from '../../../src/vectors/matrix.js';
import {
  DIMENSION,
  denseSearch,
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

const all = [...Array(ROWS).keys()];
const run = (stages: readonly PipelineStage[]) =>
  pipeline(stages, { sources: madeSources().sources }).retrieve(QUERY);

/** Of rows that the sparse list lacks its least score, 0.5. */
const complementary = (rows: Uint32Array) =>
  Float64Array.from(rows, (row) => {
    const place = SPARSE.rows.indexOf(row);
    return place === -1 ? 0.5 : SPARSE.scores[place]!;
  });

describe('guidedRefinement', () => {
  const how = {
    weight: 0.8,
    temperature: 0.5,
    learningRate: 5e-3,
    steps: 30,
    recompute: 'each-step',
  } as const;

  it('ranks the pool of both lists anew by the refined query of late interaction', async () => {
    const primary = tokenSearch(QUERY_TOKENS, 100, all);
    const pool = rowsOfAny([firstPlaces(primary, 4), firstPlaces(SPARSE, 4)]).filter(
      (row) => LENGTHS[row]! > 0,
    );
    const refined = await refine({
      query: QUERY_TOKENS,
      documents: tokensOf(pool),
      complementary: complementary(pool),
      ...how,
    });
    const { list, stages } = await run([lateInteraction(), sparse(), guidedRefinement({ pool: 4, ...how })]);
    expect(list).toEqual(rankedList(pool, refined.scores));
    expect(stages[2]!.details).toEqual({ losses: [refined.losses[0], refined.losses[30]] });
    expect(refined.losses[30]).toBeLessThan(refined.losses[0]!);
    const later = [
      lateInteraction(),
      sparse(),
      guidedRefinement({ pool: 4, ...how }),
      maxsim({ candidates: 3 }),
    ];
    const candidates = firstPlaces(rankedList(pool, refined.scores), 3).rows;
    const { rows, scores } = tokenSearch(refined.query, 3, [...candidates]);
    expect((await run(later)).list).toEqual({ rows, scores });
  });

  it('leaves out rows without vectors, and searches with the refined query if asked', async () => {
    const { sources } = madeSources();
    const withEmpty = {
      ...sources,
      sparse: { words: { level: 'passage', search: async () => rankedList([5, 3], [2, 1]) } },
    };
    const stages = [lateInteraction(), sparse(), guidedRefinement({ search: true, k: 6, steps: 5 })];
    const { list } = await pipeline(stages, { sources: withEmpty }).retrieve(QUERY);
    const first = tokenSearch(QUERY_TOKENS, 10, all);
    const pool = Uint32Array.from(new Set([...first.rows, 3])).sort();
    const { query } = await refine({
      query: QUERY_TOKENS,
      documents: tokensOf(pool),
      complementary: Float64Array.from(pool, () => 1),
      steps: 5,
    });
    const { rows, scores } = tokenSearch(query, 6, all);
    expect(list).toEqual({ rows, scores });
  });

  it('works on one vector per item too, and leaves the refined query to later stages', async () => {
    const guided = guidedRefinement({ kind: 'dense', pool: 3, learningRate: 0.01 });
    const pool = rowsOfAny([denseSearch(QUERY_VECTOR, 3), firstPlaces(SPARSE, 3)]);
    const refined = await refine({
      query: matrix(QUERY_VECTOR, DIMENSION),
      documents: {
        data: vectorsOf(pool).data,
        columns: DIMENSION,
        lengths: new Uint32Array(pool.length).fill(1),
      },
      complementary: complementary(pool),
      learningRate: 0.01,
    });
    expect((await run([dense(), sparse(), guided])).list).toEqual(rankedList(pool, refined.scores));
    const later = [
      dense(),
      sparse(),
      guided,
      dense({ k: 5 }),
      fuse({ method: 'weighted-sum', weights: [0, 1], normalisation: 'none' }),
    ];
    const { list } = await run(later);
    expect(firstPlaces(list, 1)).toEqual(denseSearch(refined.query.data, 1));
    expect(refined.query.data).not.toEqual(QUERY_VECTOR);
  });

  it('finds nothing where neither list has a row', async () => {
    const { sources } = madeSources();
    const nothing = async () => rankedList([], []);
    const empty = {
      ...sources,
      dense: { text: { ...sources.dense!['text']!, search: nothing } },
      sparse: { words: { level: 'passage', search: nothing } },
    };
    const stages = [dense(), sparse(), guidedRefinement({ kind: 'dense' })];
    expect((await pipeline(stages, { sources: empty }).retrieve(QUERY)).list.rows).toHaveLength(0);
  });
});

describe('diversify', () => {
  it('orders rows by their vectors', async () => {
    const list = denseSearch(QUERY_VECTOR, 12);
    const expected = diversifyList(list, { vectors: vectorsOf(list.rows), relevance: 0.4, k: 7 });
    expect((await run([dense(), diversify({ candidates: 12, relevance: 0.4, k: 7 })])).list).toEqual(
      expected,
    );
    expect(expected.rows).not.toEqual(firstPlaces(list, 7).rows);
    const whole = denseSearch(QUERY_VECTOR, 100);
    expect((await run([dense(), diversify()])).list).toEqual(
      diversifyList(whole, { vectors: vectorsOf(whole.rows) }),
    );
  });

  it('orders rows by their groups; those of no group are like no other', async () => {
    const labels = Array.from(SPARSE.rows, entityOf);
    expect((await run([sparse(), diversify({ likeness: 'groups', by: 'entity' })])).list).toEqual(
      diversifyList(SPARSE, { labels }),
    );
    const { sources } = madeSources();
    const groups = { family: { passage: async (rows: Uint32Array) => Array.from(rows, () => undefined) } };
    const { list } = await pipeline([sparse(), diversify({ likeness: 'groups', by: 'family' })], {
      sources: { ...sources, groups },
    }).retrieve(QUERY);
    expect(list.rows).toEqual(SPARSE.rows);
  });

  it('orders groups by the vectors of their best rows', async () => {
    const stages = [dense({ k: 30 }), aggregate({ by: 'entity' })];
    const before = await run(stages);
    const rows = before.evidence.map(({ best }) => best!['passage']!.row);
    const expected = diversifyList(before.list, { vectors: vectorsOf(rows), relevance: 0.3 });
    const after = await run([...stages, diversify({ relevance: 0.3 })]);
    expect(after.list).toEqual(expected);
    expect(after.list.rows).not.toEqual(before.list.rows);
    expect(after.ids).toEqual([...expected.rows].map((row) => before.ids![row]));
  });

  it('takes a group without a row of the source to be like no other', async () => {
    const { sources } = madeSources();
    const images = { level: 'image', search: async () => rankedList([0, 1], [3, 2]) };
    const both = {
      ...sources,
      sparse: { words: sources.sparse!['words']!, pictures: images },
      groups: { entity: { ...sources.groups!['entity'], image: async () => ['e3', 'new'] } },
    };
    const stages: PipelineStage[] = [
      sparse({ source: 'words' }),
      aggregate({ by: 'entity' }),
      sparse({ source: 'pictures' }),
      aggregate({ by: 'entity' }),
      fuse({ method: 'rrf' }),
    ];
    const before = await pipeline(stages, { sources: both }).retrieve(QUERY);
    const vectors = before.evidence.map(({ best }) =>
      best!['passage'] === undefined ? new Float32Array(DIMENSION) : vectorsOf([best!['passage'].row]).data,
    );
    const data = Float32Array.from(vectors.flatMap((vector) => [...vector]));
    const after = await pipeline([...stages, diversify()], { sources: both }).retrieve(QUERY);
    expect(after.list).toEqual(diversifyList(before.list, { vectors: matrix(data, DIMENSION) }));
  });

  it('leaves an empty list empty', async () => {
    const { sources } = madeSources();
    const empty = {
      ...sources,
      sparse: { words: { level: 'passage', search: async () => rankedList([], []) } },
    };
    expect(
      (await pipeline([sparse(), diversify()], { sources: empty }).retrieve(QUERY)).list.rows,
    ).toHaveLength(0);
  });
});

it('jitter tells how much the results of perturbed queries disagree, and changes no list', async () => {
  const queries = jitterQuery(QUERY_VECTOR, { count: 5, scale: 2, seed: 7 });
  const lists = Array.from({ length: 5 }, (_, i) =>
    denseSearch(queries.data.slice(i * DIMENSION, (i + 1) * DIMENSION), 6),
  );
  const dispersion = resultDispersion(lists, 6);
  expect(dispersion).toBeGreaterThan(0);
  const { list, stages } = await run([jitter({ count: 5, scale: 2, seed: 7, k: 6 }), sparse()]);
  expect(list).toEqual(SPARSE);
  expect(stages[0]!.details).toEqual({ dispersion });
  expect(stages[0]!.lists).toEqual([]);
  expect((await run([dense(), jitter({ scale: 0 })])).stages[1]!.details).toEqual({ dispersion: 0 });
});
