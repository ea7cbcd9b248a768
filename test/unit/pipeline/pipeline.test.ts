import { Check } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { FUSION_METHODS, NORMALISATIONS } from '../../../src/fusion/index.js';
import { MULTI_VECTOR_SCORES } from '../../../src/granularity/index.js';
import {
  aggregate,
  approximate,
  cut,
  dense,
  diversify,
  feedback,
  fuse,
  guidedRefinement,
  jitter,
  lateInteraction,
  maxsim,
  mergeSources,
  normalise,
  type PipelineSources,
  type PipelineStage,
  pipeline,
  pipelineSchema,
  STAGES,
  sparse,
} from '../../../src/pipeline/index.js';
import { firstPlaces, rankedList } from '../../../src/ranking/ranked-list.js';
import { denseSearch, madeSources, QUERY, QUERY_VECTOR } from './made-sources.js';

const EVERY_STAGE: PipelineStage[] = [
  lateInteraction({ k: 5 }),
  sparse(),
  guidedRefinement({ steps: 2 }),
  dense({ k: 20 }),
  approximate({ k: 5 }),
  normalise({ method: 'min-max' }),
  fuse({ method: 'comb-mnz', normalisation: 'none' }),
  feedback({ method: 'rocchio', k: 15 }),
  jitter({ count: 2 }),
  maxsim({ candidates: 12 }),
  aggregate({ by: 'document' }),
  diversify(),
  cut({ k: 6 }),
];

describe('a pipeline', () => {
  it('finds the same from JSON as from builders', async () => {
    expect(new Set(EVERY_STAGE.map(({ stage }) => stage))).toEqual(new Set(Object.keys(STAGES)));
    const { sources } = madeSources();
    const built = await pipeline(EVERY_STAGE, { sources }).retrieve(QUERY, { k: 4 });
    const json: PipelineStage[] = JSON.parse(JSON.stringify(EVERY_STAGE));
    const { stages, ...found } = await pipeline(json, { sources }).retrieve(QUERY, { k: 4 });
    expect({ ...built, stages: [] }).toEqual({ ...found, stages: [] });
    expect(found.list.rows).toHaveLength(4);
    expect(found.ids).toHaveLength(4);
    expect(found.evidence).toHaveLength(4);
  });

  it('tells of every stage its time, and the lists that it left', async () => {
    const { sources } = madeSources();
    const { stages } = await pipeline(EVERY_STAGE, { sources }).retrieve(QUERY);
    expect(stages.map(({ stage }) => stage)).toEqual(EVERY_STAGE.map(({ stage }) => stage));
    for (const { milliseconds } of stages) expect(milliseconds).toBeGreaterThanOrEqual(0);
    const lists = (at: number) =>
      stages[at]!.lists.map(({ level, places, source }) => [source, level, places]);
    expect(lists(1)).toEqual([
      ['tokens', 'passage', 5],
      ['words', 'passage', 6],
    ]);
    expect(lists(2)).toHaveLength(1);
    expect(lists(4).map(([source]) => source)).toEqual(['tokens', 'text', 'some']);
    expect(lists(6)[0]!.slice(0, 2)).toEqual([undefined, 'passage']);
    expect(lists(7)).toEqual([['text', 'passage', 15]]);
    // One of the twelve has no vectors.
    expect(lists(9)).toEqual([['tokens', 'passage', 11]]);
    expect(lists(12)).toEqual([['tokens', 'document', 6]]);
  });

  it('gives all that the last stage leaves, or the first k', async () => {
    const { sources } = madeSources();
    const retriever = pipeline([dense({ k: 9 })], { sources });
    const whole = denseSearch(QUERY_VECTOR, 9);
    expect((await retriever.retrieve(QUERY)).list).toEqual(whole);
    const { list, ids } = await retriever.retrieve(QUERY, { k: 4 });
    expect(list).toEqual(firstPlaces(whole, 4));
    expect(ids).toEqual([...list.rows].map((row) => `p${row}`));
    expect((await retriever.retrieve(QUERY, { k: 50 })).list).toEqual(whole);
    for (const k of [0, 1.5, -1]) {
      await expect(retriever.retrieve(QUERY, { k })).rejects.toMatchObject({ code: 'K_OUT_OF_RANGE' });
    }
    await expect(retriever.retrieve(QUERY, { filters: {} } as object)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('has no ids where the sources know none', async () => {
    const { ids: _, ...sources } = madeSources().sources;
    const found = await pipeline([dense(), aggregate({ by: 'entity' })], { sources }).retrieve(QUERY, {
      k: 1,
    });
    expect(found.ids).toHaveLength(1);
    expect(found.evidence[0]!.best!['passage']).not.toHaveProperty('id');
    expect(await pipeline([dense()], { sources }).retrieve(QUERY)).not.toHaveProperty('ids');
  });

  it('asks an encoder once, however many stages use it, and again for the next query', async () => {
    const { sources, encoded } = madeSources();
    const stages = [dense(), dense({ k: 3 }), fuse({ method: 'rrf' }), feedback({ method: 'average' })];
    const retriever = pipeline(stages, { sources });
    await retriever.retrieve(QUERY);
    expect(encoded()).toBe(1);
    const [first, second] = await retriever.retrieveMany([QUERY, QUERY], { k: 3 });
    expect(encoded()).toBe(3);
    expect(first!.list).toEqual(second!.list);
    expect(first!.list.rows).toHaveLength(3);
  });

  it('filters every search', async () => {
    const { sources, asked } = madeSources();
    const filter = { even: true };
    const { list } = await pipeline(EVERY_STAGE.slice(0, 9), { sources }).retrieve(QUERY, { filter });
    const jittered = ['dense', 'dense'];
    expect(asked.map(({ kind }) => kind)).toEqual([
      'multiVector',
      'sparse',
      'dense',
      'approximate',
      'dense',
      ...jittered,
    ]);
    for (const { options } of asked) expect(options.filter).toBe(filter);
    expect([...list.rows].every((row) => row % 2 === 0)).toBe(true);
  });

  it('passes the signal to every search, and stops between stages', async () => {
    const { sources, asked } = madeSources();
    const aborting = new AbortController();
    await pipeline(EVERY_STAGE, { sources }).retrieve(QUERY, { signal: aborting.signal });
    expect(asked).toHaveLength(8);
    for (const { options } of asked) expect(options.signal).toBe(aborting.signal);

    const aborts: PipelineSources = {
      ...sources,
      sparse: {
        words: {
          level: 'passage',
          search: async () => {
            aborting.abort('enough');
            return rankedList([1], [1]);
          },
        },
      },
    };
    asked.length = 0;
    const retriever = pipeline([sparse(), maxsim()], { sources: aborts });
    const { signal } = aborting;
    const refused = { code: 'ABORTED', cause: 'enough' };
    await expect(retriever.retrieve(QUERY, { signal })).rejects.toMatchObject(refused);
    expect(asked).toEqual([]);
  });

  it('passes on what a source refuses', async () => {
    const { sources } = madeSources();
    await expect(pipeline([dense()], { sources }).retrieve(QUERY, { filter: { odd: true } })).rejects.toThrow(
      'know one filter',
    );
  });
});

describe('the JSON Schema', () => {
  it('takes the pipelines that are taken, and is plain JSON', () => {
    const { sources } = madeSources();
    expect(Check(pipelineSchema, EVERY_STAGE)).toBe(true);
    expect(Check(pipelineSchema, pipeline(EVERY_STAGE, { sources }).stages)).toBe(true);
    for (const wrong of [
      [],
      [{ stage: 'dens' }],
      [{ stage: 'dense', k: 0 }],
      [{ stage: 'fuse', k: 3 }],
      [{ stage: 'cut' }],
    ]) {
      expect(Check(pipelineSchema, wrong)).toBe(false);
    }
    const json = JSON.parse(JSON.stringify(pipelineSchema));
    expect(json.type).toBe('array');
    expect(json.items.anyOf[0]).toMatchObject({
      type: 'object',
      required: ['stage'],
      properties: { stage: { const: 'dense' }, k: { default: 100, minimum: 1 } },
    });
  });

  it('knows every method of the registries', () => {
    const names = (stage: string, option: string) =>
      pipelineSchema.items.anyOf
        .filter(({ properties }) => properties['stage']!['const'] === stage)
        .map(({ properties }) => properties[option]!['const']);
    expect(new Set(names('fuse', 'method'))).toEqual(new Set(Object.keys(FUSION_METHODS)));
    expect(new Set(names('normalise', 'method'))).toEqual(new Set(Object.keys(NORMALISATIONS)));
    expect(new Set(names('maxsim', 'score'))).toEqual(new Set(Object.keys(MULTI_VECTOR_SCORES)));
  });
});

it('sources of several objects become one, with groups of all their levels', async () => {
  const { sources } = madeSources();
  const images: PipelineSources = {
    dense: { image: { ...sources.dense!['text']!, level: 'image' } },
    groups: { entity: { image: async (rows) => Array.from(rows, () => 'e3') } },
    ids: { image: async (rows) => Array.from(rows, (row) => `i${row}`) },
  };
  const merged = mergeSources(sources, images);
  expect(Object.keys(merged.dense!)).toEqual(['text', 'image']);
  const stages = [
    dense({ source: 'text', k: 10 }),
    aggregate({ by: 'entity' }),
    dense({ source: 'image', k: 2 }),
    aggregate({ by: 'entity' }),
    fuse({ method: 'comb-sum', normalisation: 'none' }),
  ];
  const { ids, evidence, list } = await pipeline(stages, { sources: merged }).retrieve(QUERY);
  const place = ids!.indexOf('e3');
  const texts = denseSearch(QUERY_VECTOR, 10);
  const best = texts.rows.findIndex((row) => row % 7 === 3);
  expect(list.scores[place]).toBe((texts.scores[best]! + texts.scores[0]!) / 2);
  expect(evidence[place]!.best).toEqual({
    passage: { row: texts.rows[best], id: `p${texts.rows[best]}` },
    image: { row: texts.rows[0], id: `i${texts.rows[0]}` },
  });
});
