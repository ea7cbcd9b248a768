import type { Aggregation, MeasureFamily, Parameters } from './measure-family.js';
import * as averagePrecision from './measures/average-precision.js';
import { binaryPreference } from './measures/binary-preference.js';
import * as counts from './measures/counts.js';
import * as gain from './measures/discounted-gain.js';
import { binaryGainDifference, gainDifference } from './measures/gain-difference.js';
import { inferredAveragePrecision } from './measures/inferred-average-precision.js';
import {
  ELEVEN_RECALLS,
  elevenPointAverage,
  interpolatedPrecision,
} from './measures/interpolated-precision.js';
import { precisionAtRank, relativePrecisionAtRank } from './measures/precision.js';
import { rPrecision, rPrecisionAtMultiple } from './measures/r-precision.js';
import { rankBiasedPrecision, rankBiasedResidual } from './measures/rank-biased-precision.js';
import { recallAtRank } from './measures/recall.js';
import { reciprocalRank, reciprocalRankWithin } from './measures/reciprocal-rank.js';
import { relevanceString } from './measures/relevance-string.js';
import * as sets from './measures/set-measures.js';
import { similarityDistribution } from './measures/similarity-distribution.js';
import { successAtRank } from './measures/success.js';
import { unjudgedAtRank } from './measures/unjudged.js';
import { utility } from './measures/utility.js';

const MANY_RANKS = ranks(5, 10, 15, 20, 30, 100, 200, 500, 1000);
const RECALLS: Parameters = { kind: 'recalls', defaults: ELEVEN_RECALLS };
const MULTIPLES: Parameters = { kind: 'multiples', defaults: [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2] };
const WEIGHT: Parameters = { kind: 'weight', defaults: [1] };
const PERSISTENCE: Parameters = { kind: 'persistence', defaults: [0.9] };
const LENGTH: Parameters = { kind: 'length', defaults: [10] };

/** The measures of trec_eval's `all_trec`, in the order in which it prints them. */
const ALL_TREC: readonly MeasureFamily[] = [
  { name: 'runid', kind: 'tag' },
  { name: 'num_q', kind: 'query count' },
  number('num_ret', 'sum', counts.retrieved),
  number('num_rel', 'sum', counts.relevant),
  number('num_rel_ret', 'sum', counts.relevantRetrieved),
  number('map', 'mean', averagePrecision.averagePrecision),
  number('gm_map', 'geometric mean', averagePrecision.averagePrecision),
  number('Rprec', 'mean', rPrecision),
  number('bpref', 'mean', binaryPreference),
  number('recip_rank', 'mean', reciprocalRank),
  number('iprec_at_recall', 'mean', interpolatedPrecision, RECALLS),
  number('P', 'mean', precisionAtRank, MANY_RANKS),
  { name: 'relstring', kind: 'text', text: relevanceString, parameters: LENGTH },
  number('recall', 'mean', recallAtRank, MANY_RANKS),
  number('infAP', 'mean', inferredAveragePrecision),
  number('gm_bpref', 'geometric mean', binaryPreference),
  number('Rprec_mult', 'mean', rPrecisionAtMultiple, MULTIPLES),
  number('utility', 'mean', utility),
  number('11pt_avg', 'mean', elevenPointAverage),
  number('binG', 'mean', binaryGainDifference),
  number('G', 'mean', gainDifference),
  number('ndcg', 'mean', gain.normalisedGain),
  number('ndcg_rel', 'mean', gain.normalisedGainOverRelevant),
  number('Rndcg', 'mean', gain.normalisedGainOverLevels),
  number('ndcg_cut', 'mean', gain.normalisedGainAt, MANY_RANKS),
  number('map_cut', 'mean', averagePrecision.averagePrecisionAt, MANY_RANKS),
  number('relative_P', 'mean', relativePrecisionAtRank, MANY_RANKS),
  number('success', 'mean', successAtRank, ranks(1, 5, 10)),
  number('set_P', 'mean', sets.setPrecision),
  number('set_relative_P', 'mean', sets.setRelativePrecision),
  number('set_recall', 'mean', sets.setRecall),
  number('set_map', 'mean', sets.setAveragePrecision),
  number('set_F', 'mean', sets.setF, WEIGHT),
  number('num_nonrel_judged_ret', 'sum', counts.judgedNonRelevantRetrieved),
  number('rbp', 'mean', rankBiasedPrecision, PERSISTENCE),
  number('rbp_resid', 'mean', rankBiasedResidual, PERSISTENCE),
  number('unj', 'mean', unjudgedAtRank, ranks(5, 10, 20)),
];

/** Measures that trec_eval has not, or has under no name of their own. */
const FURTHER: readonly MeasureFamily[] = [
  number('mrr', 'mean', reciprocalRankWithin, ranks(10, 100)),
  number('hit', 'mean', successAtRank, ranks(1, 5, 10, 20, 100)),
  number('ndcg_burges', 'mean', gain.normalisedExponentialGainAt, ranks(5, 10, 20, 100)),
  number('circo_map', 'mean', averagePrecision.circoAveragePrecisionAt, ranks(5, 10, 25, 50)),
  number('msd', 'mean', similarityDistribution),
];

/** Every family, in the order in which measures are printed. */
export const MEASURE_FAMILIES: readonly MeasureFamily[] = [...ALL_TREC, ...FURTHER];

/** Names that stand for several families. */
export const MEASURE_SETS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'official',
    [
      ...['runid', 'num_q', 'num_ret', 'num_rel', 'num_rel_ret', 'map', 'gm_map', 'Rprec', 'bpref'],
      ...['recip_rank', 'iprec_at_recall', 'P'],
    ],
  ],
  ['all_trec', ALL_TREC.map(({ name }) => name)],
]);

function ranks(...defaults: number[]): Parameters {
  return { kind: 'ranks', defaults };
}

function number(
  name: string,
  aggregation: Aggregation,
  value: Extract<MeasureFamily, { kind: 'number' }>['value'],
  parameters?: Parameters,
): MeasureFamily {
  return { name, kind: 'number', aggregation, value, ...(parameters && { parameters }) };
}
