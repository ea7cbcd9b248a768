import { GranuleError } from '../../errors.js';
import { show } from '../../index/arguments.js';

/** What one source says about one item: three masses of at least 0 that add up to 1. */
export interface EvidenceMass {
  /** m(Y): evidence that the item is relevant. */
  readonly relevant: number;
  /** m(N): evidence that it is not. */
  readonly irrelevant: number;
  /** m(Theta): what the source leaves open. */
  readonly unknown: number;
}

/** How far a source is trusted. */
export interface EvidenceTrust {
  /** alpha, the most mass for relevance: 0 to 1, 0.7 by default. */
  readonly alpha?: number | undefined;
  /** beta, the most mass against it: 0 to 1, 0.9 by default; the published experiments use 0.6. */
  readonly beta?: number | undefined;
}

/** Evidence of a source that says nothing: combined with another mass it changes nothing. */
export const NO_EVIDENCE: EvidenceMass = { relevant: 0, irrelevant: 0, unknown: 1 };

/** A conflict from here on cannot be divided out. */
const TOTAL_CONFLICT = 0.999;

/**
 * The masses of a belief b: m(Y) = alpha b, m(N) = beta (1 - b), m(Theta) = max(0, 1 - m(Y) - m(N)).
 *
 * Source: "BayesRAG: Probabilistic Mutual Evidence Corroboration for Multimodal Retrieval-Augmented Generation" (2026).
 *
 * @param belief - 0 to 1
 * @throws GranuleError `INVALID_ARGUMENT`
 */
export function evidenceMass(belief: number, { alpha = 0.7, beta = 0.9 }: EvidenceTrust = {}): EvidenceMass {
  for (const [name, value] of Object.entries({ belief, alpha, beta })) {
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) {
      throw new GranuleError('INVALID_ARGUMENT', `${name} must be a number from 0 to 1, got ${show(value)}`);
    }
  }
  const relevant = alpha * belief;
  const irrelevant = beta * (1 - belief);
  return { relevant, irrelevant, unknown: Math.max(0, 1 - relevant - irrelevant) };
}

/**
 * Dempster's rule for two masses: with the conflict K = m1(Y) m2(N) + m1(N) m2(Y),
 * m(Y) = (m1(Y) m2(Y) + m1(Y) m2(Theta) + m1(Theta) m2(Y)) / (1 - K), m(N) likewise, m(Theta) = m1(Theta) m2(Theta) / (1 - K).
 * Where K is 0.999 or more all mass is against relevance, and stays there.
 *
 * Sources: Shafer, "A Mathematical Theory of Evidence" (1976); the bound of K is that of the released code of "BayesRAG" (2026).
 */
export function combineEvidence(a: EvidenceMass, b: EvidenceMass): EvidenceMass {
  const conflict = a.relevant * b.irrelevant + a.irrelevant * b.relevant;
  if (conflict >= TOTAL_CONFLICT) return { relevant: 0, irrelevant: 1, unknown: 0 };
  const agreement = 1 - conflict;
  return {
    relevant: (a.relevant * b.relevant + a.relevant * b.unknown + a.unknown * b.relevant) / agreement,
    irrelevant:
      (a.irrelevant * b.irrelevant + a.irrelevant * b.unknown + a.unknown * b.irrelevant) / agreement,
    unknown: (a.unknown * b.unknown) / agreement,
  };
}

/**
 * All masses combined, from those that speak most for relevance to those that speak least; so rounding, and where a total conflict shows,
 * do not depend on the order in which sources are named.
 */
export function combineAllEvidence(masses: readonly EvidenceMass[]): EvidenceMass {
  return [...masses]
    .sort((a, b) => b.relevant - a.relevant || a.irrelevant - b.irrelevant)
    .reduce(combineEvidence, NO_EVIDENCE);
}

/**
 * The pignistic probability of relevance: m(Y) + m(Theta) / 2, what is unknown shared evenly.
 *
 * Source: Smets and Kennes, "The Transferable Belief Model" (1994).
 */
export function pignisticProbability({ relevant, unknown }: EvidenceMass): number {
  return relevant + unknown / 2;
}
