import { hashText } from '../../encoders/ngram/feature-hash.js';
import { countryFacts } from '../countries/country-facts.js';

/** Countries and territories that fly another's flag, or one that pictures cannot tell from another's. */
const SHARED_FLAGS = new Set(
  [
    'AU',
    'BL',
    'BQ',
    'FR',
    'GB',
    'GF',
    'GP',
    'HM',
    'ID',
    'MC',
    'MF',
    'NL',
    'NO',
    'PM',
    'RE',
    'SH',
    'SJ',
    'UM',
  ].concat(['US', 'WF', 'YT']),
);

const COUNT = 25;

/**
 * The two-letter codes of 25 countries that nothing is trained on, so that what was learned can be measured on entities that it never
 * saw: those with the least hash of their code, among countries whose flags are no other's.
 */
export const NEVER_TRAINED: ReadonlySet<string> = new Set(
  countryFacts()
    .map(({ cca2 }) => cca2)
    .filter((cca2) => !SHARED_FLAGS.has(cca2))
    .sort((a, b) => hashText(`never trained ${a}`) - hashText(`never trained ${b}`))
    .slice(0, COUNT),
);
