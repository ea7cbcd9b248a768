const UNITS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen';
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety';

const VALUES: ReadonlyMap<string, number> = new Map([
  ...UNITS.split(' ').map((word, value): [string, number] => [word, value]),
  ...TENS.split(' ').map((word, i): [string, number] => [word, 10 * (i + 2)]),
  ['hundred', 100],
  ['thousand', 1000],
  ['million', 1e6],
  ['billion', 1e9],
]);

const NUMERAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/;

/** What a single English number word in lower case stands for; undefined for every other word. */
export function valueOfNumberWord(word: string): number | undefined {
  return VALUES.get(word);
}

/** Whether a token in lower case is written as a decimal number: `3`, `-3.0`, `.5`, `1e6`. */
export function isNumeral(token: string): boolean {
  return NUMERAL.test(token);
}
