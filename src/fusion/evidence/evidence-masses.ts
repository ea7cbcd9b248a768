import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { finiteScores } from '../normalisation/finite-scores.js';
import { type EvidenceMass, type EvidenceTrust, evidenceMass, NO_EVIDENCE } from './evidence-mass.js';

/** How the scores of a list become masses. */
export interface EvidenceOptions extends EvidenceTrust {
  /**
   * What a flat list says, one whose scores differ by less than a tenth of the greatest: `believe`, the published rule and the
   * default, gives every item of it full belief, also where all are equally bad; `ignore` takes no evidence from it.
   */
  readonly flatLists?: 'believe' | 'ignore' | undefined;
  /**
   * The score that deserves full belief, above 0. By default it is the list's own greatest, so the best item of a bad list is
   * believed as much as that of a good one; a number on the scale of the retriever (1 for cosines) prevents that.
   */
  readonly fullBelief?: number | undefined;
}

/** The options above by name. */
export const EVIDENCE_OPTIONS = ['alpha', 'beta', 'flatLists', 'fullBelief'] as const;

/**
 * The mass of each place of a list: that of the belief b = s / max s, scores below 0 counting as 0.
 *
 * The published rule makes b = 1 throughout a flat list (max s - min s < max s / 10). With `fullBelief` b = min(1, s / fullBelief), and
 * flat lists are not treated apart.
 *
 * Source: "BayesRAG: Probabilistic Mutual Evidence Corroboration for Multimodal Retrieval-Augmented Generation" (2026).
 *
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function evidenceMasses(list: RankedList, options: EvidenceOptions = {}): EvidenceMass[] {
  const { flatLists = 'believe', fullBelief, ...trust } = options;
  if (flatLists !== 'believe' && flatLists !== 'ignore') {
    throw new GranuleError('INVALID_ARGUMENT', `flatLists must be believe or ignore, got ${show(flatLists)}`);
  }
  if (fullBelief !== undefined && !(Number.isFinite(fullBelief) && fullBelief > 0)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `fullBelief must be a number above 0, got ${show(fullBelief)}`,
    );
  }
  const scores = [...finiteScores(list).scores];
  const greatest = scores[0]!;
  if (fullBelief === undefined && greatest - scores.at(-1)! < greatest / 10) {
    return scores.map(() => (flatLists === 'believe' ? evidenceMass(1, trust) : NO_EVIDENCE));
  }
  const full = fullBelief ?? greatest;
  return scores.map((score) => evidenceMass(score > 0 ? Math.min(1, score / full) : 0, trust));
}
