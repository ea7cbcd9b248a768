import { GranuleError } from '../../errors.js';
import { checkKeys, show } from '../../index/arguments.js';
import { type RankedList, rankedList, rowsOfAny } from '../../ranking/ranked-list.js';
import { checkLists } from '../fusion-arguments.js';
import { combineAllEvidence, type EvidenceMass, NO_EVIDENCE, pignisticProbability } from './evidence-mass.js';
import { EVIDENCE_OPTIONS, type EvidenceOptions, evidenceMasses } from './evidence-masses.js';

/** Options of `dempsterShafer`. */
export interface DempsterShaferOptions extends EvidenceOptions {
  /** The name in `FUSION_METHODS` under which the method was called; not read. */
  readonly method?: string | undefined;
  /**
   * What a list says about a row that it lacks: what it says about its last one, `minimum`, the default, or `nothing`. With `nothing` a
   * row that a list lacks may pass one that the list found to be bad.
   */
  readonly missing?: 'minimum' | 'nothing' | undefined;
}

/**
 * Fuses lists over the same rows as sources of evidence: each gives a row masses for, against and neither (`evidenceMasses`), Dempster's
 * rule combines them, and the score is the pignistic probability of relevance, from 0 to 1. An empty list says nothing.
 * O(rows of all x lists), and the sorting.
 *
 * Source: "BayesRAG: Probabilistic Mutual Evidence Corroboration for Multimodal Retrieval-Augmented Generation" (2026), which
 * fuses lists over different items (`evidenceTriples`) and has no missing rows.
 *
 * @param options - `alpha` 0.7, `beta` 0.9, `flatLists` `believe`, `missing` `minimum` by default
 * @throws GranuleError `INVALID_ARGUMENT`, `NOT_FINITE` for an infinite score
 */
export function dempsterShafer(
  lists: readonly RankedList[],
  options: DempsterShaferOptions = {},
): RankedList {
  checkLists(lists);
  checkKeys(options, ['method', 'missing', ...EVIDENCE_OPTIONS]);
  const { method: _, missing = 'minimum', ...evidence } = options;
  if (missing !== 'minimum' && missing !== 'nothing') {
    throw new GranuleError('INVALID_ARGUMENT', `missing must be minimum or nothing, got ${show(missing)}`);
  }
  const sources = lists.map((list) => {
    const masses = evidenceMasses(list, evidence);
    const byRow = new Map<number, EvidenceMass>(masses.map((mass, place) => [list.rows[place]!, mass]));
    const otherwise = missing === 'minimum' ? (masses.at(-1) ?? NO_EVIDENCE) : NO_EVIDENCE;
    return (row: number): EvidenceMass => byRow.get(row) ?? otherwise;
  });
  const rows = rowsOfAny(lists);
  const scores = Float64Array.from(rows, (row) =>
    pignisticProbability(combineAllEvidence(sources.map((massOf) => massOf(row)))),
  );
  return rankedList(rows, scores);
}
