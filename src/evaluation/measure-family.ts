import type { JudgedList } from './judged-list.js';

/** What a family's parameters are, and thus how a measure is named after them. */
export type ParameterKind =
  /** Ranks from 1; one measure for each: `P_10`. */
  | 'ranks'
  /** Recalls from 0 to 1; one measure for each: `iprec_at_recall_0.10`. */
  | 'recalls'
  /** Multiples above 0; one measure for each: `Rprec_mult_0.20`. */
  | 'multiples'
  /** One number of at least 0, named only where it is given: `set_F` or `set_F_0.5`. */
  | 'weight'
  /** One number between 0 and 1, likewise: `rbp` or `rbp_0.5`. */
  | 'persistence'
  /** One number of documents, likewise: `relstring` or `relstring_20`. */
  | 'length';

/** Parameters that a family has, and those it takes where none are given. */
export interface Parameters {
  readonly kind: ParameterKind;
  readonly defaults: readonly number[];
}

/** How the values of queries become one: their sum, their mean, or exp of the mean of ln max(value, 0.00001). */
export type Aggregation = 'sum' | 'mean' | 'geometric mean';

/** Measures that differ in a parameter only. */
export type MeasureFamily = {
  readonly name: string;
  readonly parameters?: Parameters;
} & (
  | {
      readonly kind: 'number';
      readonly aggregation: Aggregation;
      /** The value of one query. */
      readonly value: (list: JudgedList, parameter: number) => number;
    }
  /** A text per query; nothing over all of them. */
  | { readonly kind: 'text'; readonly text: (list: JudgedList, parameter: number) => string }
  /** Something about the run as a whole. */
  | { readonly kind: 'tag' }
  | { readonly kind: 'query count' }
);
