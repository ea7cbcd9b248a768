/** A piece of a text and where it stands, as a UTF-16 offset. */
export interface TextSegment {
  readonly segment: string;
  readonly index: number;
  readonly isWordLike: boolean;
}

/** How much of a text is segmented at once, at first. In UTF-16 units, like all lengths here. */
const WINDOW = 1_000;
/** A boundary so near the end of a window may depend on what follows it. */
const MARGIN = 200;

/**
 * The segments of `text`, which together are the text. A segment longer than `longest` is cut, at white space where there is any.
 *
 * `Intl.Segmenter` takes time that grows with the square of a text's length. So it sees a window at a time, which begins at
 * the last boundary that was sure and grows up to `longest` where it has none.
 */
export function* textSegments(
  segmenter: Intl.Segmenter,
  text: string,
  longest: number,
): Generator<TextSegment> {
  let length = Math.min(WINDOW, longest);
  for (let start = 0; start < text.length; ) {
    const window = text.slice(start, start + length);
    const sure = start + window.length === text.length ? window.length : window.length - MARGIN;
    let taken = 0;
    for (const { segment, index, isWordLike } of segmenter.segment(window)) {
      if (index + segment.length > sure) break;
      yield { segment, index: start + index, isWordLike: isWordLike ?? false };
      taken = index + segment.length;
    }
    if (taken > 0) {
      start += taken;
      length = Math.min(WINDOW, longest);
    } else if (length < longest) {
      length = Math.min(2 * length, longest);
    } else {
      const cut = cutOf(window, text.charCodeAt(start + window.length));
      yield { segment: window.slice(0, cut), index: start, isWordLike: true };
      start += cut;
    }
  }
}

/** Where to cut a window that has no boundary: behind its last white space, else at its end, but within no character. */
function cutOf(window: string, nextUnit: number): number {
  const atSpace = window.match(/^.*\s/su)?.[0].length;
  if (atSpace !== undefined) return atSpace;
  const splitsPair =
    (window.charCodeAt(window.length - 1) & 0xfc00) === 0xd800 && (nextUnit & 0xfc00) === 0xdc00;
  return splitsPair ? window.length - 1 : window.length;
}
