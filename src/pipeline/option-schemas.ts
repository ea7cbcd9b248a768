/**
 * Pieces that the schemas of stages are made of.
 *
 * @module
 */
import {
  type Static,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  Type,
} from '@sinclair/typebox';

declare const DEFAULTED: unique symbol;

/** An option that has a value also where none is given. */
export type Defaulted<T extends TSchema> = TOptional<T> & { readonly [DEFAULTED]: true };

type DefaultedKeys<P extends TProperties> = {
  [K in keyof P]: P[K] extends { readonly [DEFAULTED]: true } ? K : never;
}[keyof P];

/** Options once their defaults are filled in. */
export type Settled<S extends TSchema> =
  S extends TObject<infer P>
    ? Static<S> & { [K in DefaultedKeys<P>]-?: Static<P[K]> }
    : S extends TUnion<infer Branches>
      ? Settled<Branches[number]>
      : never;

/** An option with its default, which JSON Schema shows. */
export function withDefault<T extends TSchema>(schema: T, value: Static<T>): Defaulted<T> {
  return Type.Optional({ ...schema, default: value }) as unknown as Defaulted<T>;
}

/** Options of these names and no others. */
export function optionsOf<P extends TProperties>(properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false });
}

/** One of some names. */
export function oneOf<const Name extends string>(names: readonly Name[], description: string) {
  return Type.Unsafe<Name>(
    Type.Union(
      names.map((name) => Type.Literal(name)),
      { description },
    ),
  );
}

/** An array that the caller keeps. */
export function listOf<T extends TSchema>(item: T, description: string) {
  return Type.Unsafe<readonly Static<T>[]>(Type.Array(item, { description }));
}

/** A whole number of at least 1. */
export const count = (description: string) => Type.Integer({ minimum: 1, description });

/** The name of the source; where there is one of the kind it is filled in when the pipeline is made. */
export const SourceName = Type.Optional(
  Type.String({ description: 'Name of the source; not needed where there is one of its kind.' }),
) as unknown as Defaulted<TString>;

/** Most places of a search's list. */
export const SearchPlaces = withDefault(count('Most places of the list.'), 100);

/** One weight of at least 0 per list. */
export const WeightsOfLists = listOf(
  Type.Number({ minimum: 0 }),
  'One per list, the list that was found first first; equal by default.',
);

/** Temperature of a softmax. */
export const temperature = (description: string) => Type.Number({ exclusiveMinimum: 0, description });
