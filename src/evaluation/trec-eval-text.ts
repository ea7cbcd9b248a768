import type { Evaluation, MeasureResult } from './evaluate-run.js';

const NAME_WIDTH = 22;
const ALL = 'all';

/**
 * An evaluation as trec_eval prints it: a line per value, the measure's name, the query's id or `all`, and the value with four
 * decimals, separated by tabs.
 *
 * @param perQuery - print each query's values before those of the run; default false
 */
export function trecEvalText(
  { queries, results }: Evaluation,
  { perQuery = false }: { readonly perQuery?: boolean } = {},
): string {
  const lines: string[] = [];
  const line = ({ name, isCount }: MeasureResult, query: string, value: number | string) => {
    lines.push(`${name.padEnd(NAME_WIDTH)}\t${query}\t${printed(value, isCount)}\n`);
  };
  for (const [place, query] of perQuery ? queries.entries() : []) {
    for (const result of results) if (result.perQuery) line(result, query, result.perQuery[place]!);
  }
  for (const result of results) {
    if (result.aggregate !== undefined) line(result, ALL, result.aggregate);
  }
  return lines.join('');
}

function printed(value: number | string, isCount: boolean): string {
  return typeof value === 'string' || isCount ? String(value) : fourDecimals(value).padStart(6);
}

/**
 * A number with four decimals as C prints it: exactly half a digit goes to the even neighbour, where `toFixed` goes up. Only an odd
 * multiple of 1/32 can lie exactly between two: 0.03125 is 0.0312.
 */
export function fourDecimals(value: number): string {
  if (Math.abs((value * 32) % 2) !== 1) return value.toFixed(4);
  const below = Math.floor(value * 10_000);
  return ((below % 2 === 0 ? below : below + 1) / 10_000).toFixed(4);
}
