/** Bold and underlined, and back; Node offers this under a name only from 20.12 on. */
const EMPHASIS = ['\x1b[1;4m', '\x1b[22;24m'] as const;
const BRACKETS = ['[[', ']]'] as const;

/**
 * A passage's text with the answer marked: bold and underlined where colour is wanted, else between `[[` and `]]`.
 *
 * @param span - UTF-16 offsets of the answer; undefined marks nothing
 */
export function markedPassage(
  text: string,
  span: readonly [start: number, end: number] | undefined,
  colour: boolean,
): string {
  if (span === undefined) return text;
  const [start, end] = span;
  const [before, after] = colour ? EMPHASIS : BRACKETS;
  return text.slice(0, start) + before + text.slice(start, end) + after + text.slice(end);
}
