import { GranuleError } from '../../errors.js';
import { normaliseAnswer } from '../../generators/normalise-answer.js';
import { withDefaults } from '../option-checks.js';

/** What one answer says, and what it may rest on. */
export interface GroundedAnswer {
  /** The objects, or claims, that the answer mentions; one that is mentioned twice counts twice. */
  readonly mentions: readonly string[];
  /** The objects, or claims, that the retrieved evidence holds. */
  readonly evidence: readonly string[];
}

/** How mentions are held against the evidence. */
export interface HallucinationOptions {
  /** Whether the evidence supports a mention; default: one of it is equal after `normaliseAnswer`. For synonyms, and for claims. */
  readonly supports?: (evidence: readonly string[], mention: string) => boolean;
}

/** Hallucination over a set of answers, from 0 to 1. */
export interface HallucinationRates {
  /** CHAIR_i: mentions without support / mentions; 0 where nothing is mentioned. */
  readonly perMention: number;
  /** CHAIR_s: answers with at least one mention without support / answers. */
  readonly perAnswer: number;
  readonly mentions: number;
  readonly answers: number;
  /** The mentions without support of each answer. */
  readonly unsupported: readonly (readonly string[])[];
}

/**
 * Hallucination rates as CHAIR defines them, with retrieved evidence in the place of the objects of a picture. CHAIR_i is taken over
 * the mentions of all answers together, not as a mean of answers. O(mentions x evidence).
 *
 * Source: "Object Hallucination in Image Captioning" (2018).
 *
 * @throws GranuleError `INVALID_ARGUMENT` where there is no answer, and for unknown options
 */
export function hallucinationRates(
  answers: readonly GroundedAnswer[],
  options: HallucinationOptions = {},
): HallucinationRates {
  const { supports } = withDefaults<Required<HallucinationOptions>>(
    options,
    { supports: isAmong },
    'hallucinationRates',
  );
  if (answers.length === 0)
    throw new GranuleError('INVALID_ARGUMENT', 'there is no answer to take a rate of');
  const unsupported = answers.map(({ mentions, evidence }) =>
    mentions.filter((mention) => !supports(evidence, mention)),
  );
  const mentions = answers.reduce((sum, answer) => sum + answer.mentions.length, 0);
  const hallucinated = unsupported.reduce((sum, list) => sum + list.length, 0);
  return {
    perMention: mentions === 0 ? 0 : hallucinated / mentions,
    perAnswer: unsupported.filter((list) => list.length > 0).length / answers.length,
    mentions,
    answers: answers.length,
    unsupported,
  };
}

function isAmong(evidence: readonly string[], mention: string): boolean {
  const wanted = normaliseAnswer(mention);
  return evidence.some((item) => normaliseAnswer(item) === wanted);
}
