import { GranuleError } from '../../errors.js';
import { checkKeys, show } from '../../index/arguments.js';
import { type RankedList, rankedList } from '../../ranking/ranked-list.js';
import { combineAllEvidence, pignisticProbability } from './evidence-mass.js';
import { EVIDENCE_OPTIONS, type EvidenceOptions, evidenceMasses } from './evidence-masses.js';

/** The three lists of one query; rows of each count items of its own kind. */
export interface ModalityLists {
  readonly texts: RankedList;
  readonly images: RankedList;
  readonly pages: RankedList;
}

/** A text, an image and a page that may belong together. A kind of which nothing was found is undefined in all triples. */
export interface EvidenceTriple {
  readonly text: number | undefined;
  readonly image: number | undefined;
  readonly page: number | undefined;
  /** P(B|A): the pignistic probability of the three combined, 0 to 1. */
  readonly likelihood: number;
  /** P(A), from the prior that was given. */
  readonly prior: number;
  /** likelihood x prior, not normalised. */
  readonly posterior: number;
}

/** How plausible it is that the three belong together, 0 to 1; `layoutPrior` and `relationPrior` are two. */
export type TriplePrior = (
  text: number | undefined,
  image: number | undefined,
  page: number | undefined,
) => number;

/** Options of `evidenceTriples`. */
export interface EvidenceTripleOptions extends EvidenceOptions {
  /** Places of each list that are combined: a positive integer, 20 by default, which makes up to 8,000 triples. */
  readonly candidates?: number | undefined;
}

/** How many items of each kind to keep: integers of at least 0, 5 each by default. */
export interface TripleQuotas {
  readonly texts?: number | undefined;
  readonly images?: number | undefined;
  readonly pages?: number | undefined;
}

/**
 * Combines texts, images and pages into triples and orders them by the posterior P(A) P(B|A): the likelihood combines the evidence that
 * the three lists give (`evidenceMasses` over each whole list) by Dempster's rule, the prior says whether they belong together. Of equal
 * posteriors the greater likelihood comes first, then the better places in the lists of texts, images, pages. O(t i p log(t i p)).
 *
 * Source: "BayesRAG: Probabilistic Mutual Evidence Corroboration for Multimodal Retrieval-Augmented Generation" (2026).
 *
 * @param prior - called once per triple
 * @param options - `candidates` 20, `alpha` 0.7, `beta` 0.9, `flatLists` `believe` by default
 * @throws GranuleError `INVALID_ARGUMENT`, also for a prior outside 0 to 1; `NOT_FINITE` for an infinite score
 */
export function evidenceTriples(
  lists: ModalityLists,
  prior: TriplePrior,
  options: EvidenceTripleOptions = {},
): EvidenceTriple[] {
  checkKeys(lists, ['texts', 'images', 'pages']);
  checkKeys(options, ['candidates', ...EVIDENCE_OPTIONS]);
  const { candidates = 20, ...evidence } = options;
  if (!Number.isSafeInteger(candidates) || candidates < 1) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `candidates must be a positive integer, got ${show(candidates)}`,
    );
  }
  const [texts, images, pages] = [lists.texts, lists.images, lists.pages].map((list) => {
    const places = evidenceMasses(list, evidence).map((mass, place) => ({
      row: list.rows[place],
      masses: [mass],
    }));
    return places.length > 0 ? places.slice(0, candidates) : [{ row: undefined, masses: [] }];
  });
  const triples: EvidenceTriple[] = [];
  for (const text of texts!) {
    for (const image of images!) {
      for (const page of pages!) {
        const masses = [...text.masses, ...image.masses, ...page.masses];
        if (masses.length === 0) continue;
        const likelihood = pignisticProbability(combineAllEvidence(masses));
        const belonging = checkPrior(prior(text.row, image.row, page.row));
        triples.push({
          text: text.row,
          image: image.row,
          page: page.row,
          likelihood,
          prior: belonging,
          posterior: likelihood * belonging,
        });
      }
    }
  }
  // Sorting is stable: what is equal stays in the order of the lists.
  return triples.sort((a, b) => b.posterior - a.posterior || b.likelihood - a.likelihood);
}

/**
 * The items of the best triples, each once, until each kind has reached its quota; an item's score is the posterior of its best
 * triple. O(triples).
 *
 * Source: as for `evidenceTriples`; its experiments keep 15 texts, 10 images and 15 pages.
 *
 * @param triples - best first, as `evidenceTriples` returns them
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function itemsOfTriples(triples: readonly EvidenceTriple[], quotas: TripleQuotas = {}): ModalityLists {
  checkKeys(quotas, ['texts', 'images', 'pages']);
  const { texts = 5, images = 5, pages = 5 } = quotas;
  for (const [name, quota] of Object.entries({ texts, images, pages })) {
    if (!Number.isSafeInteger(quota) || quota < 0) {
      throw new GranuleError(
        'INVALID_ARGUMENT',
        `${name} must be an integer of at least 0, got ${show(quota)}`,
      );
    }
  }
  return {
    texts: firstItems(triples, ({ text }) => text, texts),
    images: firstItems(triples, ({ image }) => image, images),
    pages: firstItems(triples, ({ page }) => page, pages),
  };
}

function firstItems(
  triples: readonly EvidenceTriple[],
  item: (triple: EvidenceTriple) => number | undefined,
  quota: number,
): RankedList {
  const posteriors = new Map<number, number>();
  for (const triple of triples) {
    if (posteriors.size >= quota) break;
    const row = item(triple);
    if (row !== undefined && !posteriors.has(row)) posteriors.set(row, triple.posterior);
  }
  return rankedList([...posteriors.keys()], [...posteriors.values()]);
}

function checkPrior(prior: number): number {
  if (typeof prior !== 'number' || !(prior >= 0 && prior <= 1)) {
    throw new GranuleError('INVALID_ARGUMENT', `a prior must be a number from 0 to 1, got ${show(prior)}`);
  }
  return prior;
}
