/** A value that a field of metadata is compared with. Numbers are finite. */
export type FilterScalar = string | number | boolean | null;

/** What one field must fulfil; several operators must all hold. */
export interface FieldCondition {
  /** The field is this value, or an array with it as an element. */
  readonly eq?: FilterScalar;
  /** The exact negation of `eq`: also true where the field is missing. */
  readonly ne?: FilterScalar;
  /** `eq` of at least one of these. */
  readonly in?: readonly FilterScalar[];
  /** Greater: the field is a number and so is this, or both are strings, which compare by code point. */
  readonly gt?: number | string;
  /** Greater or equal. */
  readonly gte?: number | string;
  /** Less. */
  readonly lt?: number | string;
  /** Less or equal. */
  readonly lte?: number | string;
  /** Whether the field is there; `null` is there. */
  readonly exists?: boolean;
}

/**
 * A filter over metadata, as plain JSON: `{ region: 'Europe', population: { gte: 1e6 } }`.
 *
 * A key is a field, or one of `and`, `or` and `not`; all keys must hold. A bare value is `eq`. A field is a dotted path into
 * nested objects; a part in double quotes may hold anything: `'"a.b".c'` is the field c in the field a.b. The semantics are in
 * `docs/filters.md`.
 */
export interface MetadataFilter {
  readonly and?: readonly MetadataFilter[];
  readonly or?: readonly MetadataFilter[];
  readonly not?: MetadataFilter;
  readonly eq?: never;
  readonly ne?: never;
  readonly in?: never;
  readonly gt?: never;
  readonly gte?: never;
  readonly lt?: never;
  readonly lte?: never;
  readonly exists?: never;
  readonly [field: string]:
    | FilterScalar
    | FieldCondition
    | MetadataFilter
    | readonly MetadataFilter[]
    | undefined;
}

/** How a field may be compared in order. */
export type FilterComparison = 'gt' | 'gte' | 'lt' | 'lte';

/** Keys from the outermost object inwards; at least one. */
export type FieldPath = readonly [string, ...string[]];

/** A checked filter, as `parseFilter` gives it: `eq` is `in` with one value, `ne` its negation. */
export type ParsedFilter =
  | { readonly operator: 'and' | 'or'; readonly filters: readonly ParsedFilter[] }
  | { readonly operator: 'not'; readonly filter: ParsedFilter }
  | { readonly operator: 'in'; readonly path: FieldPath; readonly values: readonly FilterScalar[] }
  | { readonly operator: FilterComparison; readonly path: FieldPath; readonly value: number | string }
  | { readonly operator: 'exists'; readonly path: FieldPath };
