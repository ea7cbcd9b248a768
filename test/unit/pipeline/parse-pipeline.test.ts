import { describe, expect, it } from 'vitest';
import {
  dense,
  fuse,
  guidedRefinement,
  jitter,
  maxsim,
  type PipelineStage,
  pipeline,
  sparse,
} from '../../../src/pipeline/index.js';
import { madeSources, QUERY } from './made-sources.js';

const { sources } = madeSources();
const made = (stages: unknown, of = sources) => pipeline(stages as PipelineStage[], { sources: of });

function messageOf(stages: unknown, of = sources): string {
  try {
    made(stages, of);
  } catch (error) {
    expect(error).toMatchObject({ name: 'GranuleError', code: 'PIPELINE_INVALID' });
    const { message, details } = error as { message: string; details: { place: string } };
    expect(message.startsWith(`${details.place} `)).toBe(true);
    return message;
  }
  return 'no error';
}

const STAGES =
  'dense, sparse, lateInteraction, approximate, normalise, fuse, feedback, guidedRefinement, maxsim, aggregate, diversify, jitter, cut';
const two = [dense(), sparse()];

describe('a pipeline is refused where it is wrong, by the place:', () => {
  it.each<[unknown, string]>([
    [undefined, 'pipeline must be an array of stages, got undefined'],
    [{ stage: 'dense' }, 'pipeline must be an array of stages, got Object'],
    [[], 'pipeline leaves no list; begin with a search, such as dense or sparse'],
    [['dense'], "pipeline[0] must be an object with a stage, got 'dense'"],
    [[dense(), {}], `pipeline[1].stage must be one of ${STAGES}, got undefined`],
    [[{ stage: 'densest' }], `pipeline[0].stage must be one of ${STAGES}, got 'densest'`],
    [[{ stage: 'toString' }], `pipeline[0].stage must be one of ${STAGES}, got 'toString'`],
  ])('no list of stages: %j', (stages, message) => {
    expect(messageOf(stages)).toBe(message);
  });

  it.each<[object, string]>([
    [{ stage: 'dense', k: 0 }, 'k must be an integer of at least 1, got 0'],
    [{ stage: 'dense', k: 1.5 }, 'k must be an integer of at least 1, got 1.5'],
    [{ stage: 'dense', k: '5' }, "k must be an integer of at least 1, got '5'"],
    [{ stage: 'dense', k: Symbol('k') }, 'k must be an integer of at least 1, got Symbol(k)'],
    [{ stage: 'dense', m: 5 }, 'm is an unknown option; known are source, k'],
    [{ stage: 'dense', source: 3 }, 'source must be a string, got 3'],
    [{ stage: 'dense', source: 'words' }, "source names no source: the dense sources are text, got 'words'"],
    [
      { stage: 'sparse', source: 'constructor' },
      "source names no source: the sparse sources are words, got 'constructor'",
    ],
    [{ stage: 'cut' }, 'k is missing; it must be an integer of at least 1'],
    [{ stage: 'feedback' }, 'method is missing; it must be one of average, rocchio, centroid'],
    [{ stage: 'feedback', method: 'add' }, "method must be one of average, rocchio, centroid, got 'add'"],
    [{ stage: 'feedback', method: 'rocchio', m: 0 }, 'm must be an integer of at least 1, got 0'],
    [
      { stage: 'feedback', method: 'average', alpha: 1 },
      'alpha is an unknown option; known are method, m, normalise, source, minimumMargin, k',
    ],
    [{ stage: 'feedback', method: 'rocchio', beta: Number.NaN }, 'beta must be a number, got NaN'],
    [{ stage: 'feedback', method: 'rocchio', normalise: 1 }, 'normalise must be true or false, got 1'],
    [
      { stage: 'normalise', method: 'softmax', temperature: 0 },
      'temperature must be a number above 0, got 0',
    ],
    [
      { stage: 'normalise', method: 'global-zmuv', mean: 1 },
      'deviation is missing; it must be a number of at least 0',
    ],
    [
      { stage: 'maxsim', score: 'sum' },
      "score must be one of maxsim, mean-maxsim, smooth-maxsim, top-mean, filip, pacl, sparc, flair, bi-isa, got 'sum'",
    ],
    [
      { stage: 'maxsim', temperature: 1 },
      'temperature is an unknown option; known are score, source, candidates',
    ],
    [
      { stage: 'aggregate', by: 'family' },
      "by must be a level of groups, one of document, entity, got 'family'",
    ],
    [
      { stage: 'aggregate', by: 'entity', method: 'median' },
      "method must be one of max, sum, mean, first, got 'median'",
    ],
  ])('an option: %j', (stage, message) => {
    expect(messageOf([dense(), stage])).toBe(`pipeline[1].${message}`);
  });

  it.each<[object, string]>([
    [
      { method: 'best' },
      "method must be one of rrf, comb-sum, comb-mnz, weighted-sum, average-rank, borda, score-based, dempster-shafer, got 'best'",
    ],
    [{ method: 'rrf', weights: 1 }, 'weights must be an array, got 1'],
    [{ method: 'rrf', weights: [1, -1] }, 'weights[1] must be a number of at least 0, got -1'],
    [
      { method: 'rrf', weights: [1] },
      'weights must have one entry per list: there are 2 lists, and it has 1',
    ],
    [{ method: 'weighted-sum' }, 'weights is missing; it must be an array'],
    [
      { method: 'comb-sum', normalisation: 'mean' },
      "normalisation must be one of none, zmuv, min-max, softmax, max, sum, rank, or an object, or an array, got 'mean'",
    ],
    [
      { method: 'comb-sum', normalisation: ['zmuv', 'mean'] },
      "normalisation[1] must be one of none, zmuv, min-max, softmax, max, sum, rank, or an object, got 'mean'",
    ],
    [
      { method: 'comb-sum', normalisation: { method: 'zmuv', mean: 3 } },
      'normalisation.mean is an unknown option; known are method',
    ],
    [
      { method: 'comb-sum', normalisation: ['zmuv'] },
      'normalisation must have one entry per list: there are 2 lists, and it has 1',
    ],
    [
      { method: 'comb-sum', normalisation: 'global-zmuv' },
      "normalisation must be one of none, zmuv, min-max, softmax, max, sum, rank, or an object, or an array, got 'global-zmuv'",
    ],
    [{ method: 'comb-sum', missing: 'nothing' }, "missing must be one of zero, minimum, got 'nothing'"],
    [
      { method: 'score-based', weights: 'clip', statistics: [] },
      "weights must be one of dpr + clip, dpr + clip-image + clip-title, dpr + imagenet + clip + arcface, or an array, got 'clip'",
    ],
    [
      { method: 'score-based', weights: 'dpr + clip-image + clip-title', statistics: [] },
      'weights must have one entry per list: there are 2 lists, and it has 3',
    ],
    [
      { method: 'score-based', weights: [1, 1], statistics: [{ mean: 1 }] },
      'statistics[0].deviation is missing; it must be a number of at least 0',
    ],
    [{ method: 'dempster-shafer', alpha: 1.2 }, 'alpha must be a number from 0 to 1, got 1.2'],
  ])('a fusion: %j', (options, message) => {
    expect(messageOf([...two, { stage: 'fuse', ...options }])).toBe(`pipeline[2].${message}`);
  });

  it.each<[unknown[], string]>([
    [[dense(), sparse()], 'pipeline leaves 2 lists at its end; fuse them'],
    [[fuse({ method: 'rrf' })], 'pipeline[0] (fuse) needs at least two lists, and there are none'],
    [[dense(), fuse({ method: 'rrf' })], 'pipeline[1] (fuse) needs at least two lists, and there is 1'],
    [
      [maxsim()],
      'pipeline[0] (maxsim) needs a list to work on; begin with a search, such as dense or sparse',
    ],
    [[...two, maxsim()], 'pipeline[2] (maxsim) works on one list, and there are 2; fuse them first'],
    [
      [{ stage: 'cut', k: 3 }],
      'pipeline[0] (cut) needs a list to work on; begin with a search, such as dense or sparse',
    ],
    [
      [{ stage: 'normalise', method: 'sum' }],
      'pipeline[0] (normalise) needs a list to work on; begin with a search, such as dense or sparse',
    ],
    [
      [{ stage: 'aggregate', by: 'entity' }],
      'pipeline[0] (aggregate) needs a list to work on; begin with a search, such as dense or sparse',
    ],
    [
      [dense(), { stage: 'aggregate', by: 'entity' }, maxsim()],
      'pipeline[2] (maxsim) works on rows of level passage, and those of the list are of level entity',
    ],
    [
      [dense(), { stage: 'aggregate', by: 'entity' }, { stage: 'feedback', method: 'average' }],
      'pipeline[2] (feedback) works on rows of level passage, and those of the list are of level entity',
    ],
    [
      [dense(), { stage: 'aggregate', by: 'entity' }, sparse(), fuse({ method: 'rrf' })],
      'pipeline[3] (fuse) cannot fuse rows of different levels (entity, passage); aggregate them to one level first',
    ],
    [
      [dense(), { stage: 'aggregate', by: 'entity' }, { stage: 'aggregate', by: 'document' }],
      'pipeline[2] (aggregate) forms groups of level document of rows of level passage, not of entity',
    ],
    [
      [dense(), guidedRefinement()],
      'pipeline[1] (guidedRefinement) works on two lists, of the source and of another retriever, and there is 1',
    ],
    [
      [...two, { stage: 'aggregate', by: 'entity' }, guidedRefinement()],
      'pipeline[3] (guidedRefinement) works on rows of level passage, and those of a list are of level entity',
    ],
    [
      [
        dense(),
        { stage: 'aggregate', by: 'entity' },
        { stage: 'diversify', likeness: 'groups', by: 'document' },
      ],
      'pipeline[2] (diversify) groups rows of level passage, and those of the list are of level entity',
    ],
    [
      [...two, { stage: 'diversify' }],
      'pipeline[2] (diversify) works on one list, and there are 2; fuse them first',
    ],
    [[jitter()], 'pipeline leaves no list; begin with a search, such as dense or sparse'],
  ])('stages that do not fit together: %j', (stages, message) => {
    expect(messageOf(stages)).toBe(message);
  });

  it('sources', () => {
    const { dense: one, groups } = sources;
    const two = { dense: { a: one!['text']!, b: one!['text']! } };
    expect(messageOf([dense()], two)).toBe('pipeline[0].source is missing: the dense sources are a, b');
    expect(messageOf([sparse()], two)).toBe('pipeline[0].source is missing: there are no sparse sources');
    expect(messageOf([sparse({ source: 'a' })], two)).toBe(
      "pipeline[0].source names no source: there are no sparse sources, got 'a'",
    );
    expect(messageOf([{ stage: 'aggregate', by: 'entity' }], two)).toBe(
      "pipeline[0].by must be a level of groups, and there are none, got 'entity'",
    );
    const other = { ...sources, dense: { text: { ...one!['text']!, level: 'image' } } };
    expect(messageOf([sparse(), { stage: 'diversify' }], other)).toBe(
      'pipeline[1] (diversify) has vectors for rows of level image, and those of the list are of level passage',
    );
    const confused = { dense: { text: { ...one!['text']!, level: 'entity' } }, groups: groups! };
    expect(messageOf([dense()], confused)).toBe(
      'sources.dense.text has rows of level entity, which is the name of groups too',
    );
  });
});

it('a pipeline says what it is in full, and stays so', async () => {
  const weights = [0.5, 0.5];
  const given = [dense(), sparse({ k: 7 }), fuse({ method: 'weighted-sum', weights })];
  const retriever = made(given);
  const full = [
    { stage: 'dense', source: 'text', k: 100 },
    { stage: 'sparse', source: 'words', k: 7 },
    { stage: 'fuse', method: 'weighted-sum', weights: [0.5, 0.5], normalisation: 'min-max', missing: 'zero' },
  ];
  expect(retriever.stages).toEqual(full);
  const before = await retriever.retrieve(QUERY);
  weights[0] = 9;
  expect(retriever.stages).toEqual(full);
  expect((await retriever.retrieve(QUERY)).list).toEqual(before.list);
  expect(made(JSON.parse(JSON.stringify(retriever.stages))).stages).toEqual(full);
});

it('an option that is undefined was not given', () => {
  expect(made([{ stage: 'dense', k: undefined, source: undefined }]).stages).toEqual(made([dense()]).stages);
});
