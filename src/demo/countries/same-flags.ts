/** Countries and territories that fly one flag: the very picture, or shades and proportions that a photograph does not tell apart. */
const SAME_FLAGS: readonly (readonly string[])[] = [
  ['AU', 'HM'],
  ['BL', 'FR', 'GF', 'GP', 'MF', 'PM', 'RE', 'WF', 'YT'],
  ['BQ', 'NL'],
  ['BV', 'NO', 'SJ'],
  ['GB', 'SH'],
  ['ID', 'MC'],
  ['UM', 'US'],
];

/** Whether a picture cannot tell two countries' flags apart; codes of two letters in upper case. */
export function sameFlag(one: string, other: string): boolean {
  return one === other || SAME_FLAGS.some((group) => group.includes(one) && group.includes(other));
}
