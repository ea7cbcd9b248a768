import { hashText } from '../../encoders/ngram/feature-hash.js';
import { countryFacts } from '../countries/country-facts.js';
import { sameFlag } from '../countries/same-flags.js';

const COUNT = 25;
const codes = countryFacts().map(({ cca2 }) => cca2);

/**
 * The two-letter codes of 25 countries that nothing is trained on, so that what was learned can be measured on entities that it never
 * saw: those with the least hash of their code, among countries whose flags are no other's.
 */
export const NEVER_TRAINED: ReadonlySet<string> = new Set(
  codes
    .filter((code) => !codes.some((other) => other !== code && sameFlag(other, code)))
    .sort((a, b) => hashText(`never trained ${a}`) - hashText(`never trained ${b}`))
    .slice(0, COUNT),
);
