import { type JudgedList, NOT_IN_POOL } from '../judged-list.js';

/**
 * `relstring`: one character for each of the first `length` documents, in quotes: its relevance 0 to 9, `>` for more, `.` in the
 * pool but not judged, `-` not in the pool, `<` for relevance below -2.
 */
export function relevanceString({ relevance }: JudgedList, length: number): string {
  return `'${Array.from(relevance.subarray(0, length), characterOf).join('')}'`;
}

function characterOf(grade: number): string {
  if (grade > 9) return '>';
  if (grade >= 0) return String(grade);
  if (grade === -1) return '.';
  return grade === NOT_IN_POOL ? '-' : '<';
}
