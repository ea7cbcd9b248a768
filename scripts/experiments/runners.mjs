/**
 * What no stage of a pipeline does. Each makes, of a task and options, a function that answers a query with a list, its level and
 * ids; or, where nothing is ranked, with `figures` by name, of which the experiment shows the means.
 */

import { combineParts } from './runners/combine-parts.mjs';
import { conditionScoresOf } from './runners/condition-scores.mjs';
import { contrastingWords } from './runners/contrasting-words.mjs';
import { crossValidatedWeights } from './runners/cross-validated-weights.mjs';
import { evidenceArea } from './runners/evidence-area.mjs';
import { triples } from './runners/evidence-triples.mjs';
import { facetCover } from './runners/facet-cover.mjs';
import { interactiveAggregation } from './runners/interactive-aggregation.mjs';
import { listEntropy } from './runners/list-entropy.mjs';
import { mergeModalities } from './runners/merge-modalities.mjs';
import { routed, routes } from './runners/routing.mjs';
import { listWithMargin } from './runners/score-margin.mjs';
import { stageLossesOf } from './runners/stage-losses.mjs';
import { weightedWords } from './runners/weighted-words.mjs';

export const RUNNERS = {
  'combine-parts': combineParts,
  'condition-scores': conditionScoresOf,
  'contrasting-words': contrastingWords,
  'cross-validated-weights': crossValidatedWeights,
  'evidence-area': evidenceArea,
  'evidence-triples': triples,
  'facet-cover': facetCover,
  'interactive-aggregation': interactiveAggregation,
  'list-entropy': listEntropy,
  'merge-modalities': mergeModalities,
  routed,
  routes,
  'score-margin': listWithMargin,
  'stage-losses': stageLossesOf,
  'weighted-words': weightedWords,
};
