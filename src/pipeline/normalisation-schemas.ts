/**
 * Normalisations as plain data.
 *
 * @module
 */
import { Type } from '@sinclair/typebox';
import { NORMALISATIONS, type NormalisationName } from '../fusion/normalisation/normalisations.js';
import { listOf, oneOf, optionsOf, temperature, withDefault } from './option-schemas.js';

type PlainName = Exclude<NormalisationName, 'global-zmuv'>;

const PLAIN_NAMES = Object.keys(NORMALISATIONS).filter((name) => name !== 'global-zmuv') as PlainName[];

const named = <Name extends NormalisationName>(name: Name) => optionsOf({ method: Type.Literal(name) });

/** A normalisation with its options. */
export const NormalisationObject = Type.Union([
  named('none'),
  named('zmuv'),
  optionsOf({
    method: Type.Literal('global-zmuv'),
    mean: Type.Number({ description: "Mean of the retriever's scores over many queries." }),
    deviation: Type.Number({ minimum: 0, description: 'Their standard deviation.' }),
  }),
  named('min-max'),
  optionsOf({
    method: Type.Literal('softmax'),
    temperature: withDefault(temperature('Inner products of unit vectors need about 0.01.'), 1),
  }),
  named('max'),
  named('sum'),
  named('rank'),
]);

const OneNormalisation = Type.Union([oneOf(PLAIN_NAMES, 'One that needs no options.'), NormalisationObject]);

/** A normalisation by its name or as an object; one for all lists, or one per list. */
export const Normalisations = Type.Union([
  ...OneNormalisation.anyOf,
  listOf(OneNormalisation, 'One per list, the list that was found first first.'),
]);
