import { textSegments } from './text-segments.js';

/** A passage cut from a longer text. */
export interface SplitPassage {
  /** The title as a sentence of its own, then the sentences; runs of white space are one space. */
  readonly text: string;
  /** Where the sentences stand in the source, as UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** In UTF-16 units; a longer sentence is cut. A text without punctuation would be one passage of any length. */
const LONGEST_PASSAGE = 5_000;
/** A longer run without a boundary counts as several words. */
const LONGEST_WORD = 1_000;

/** Lines that begin so stand for themselves: headings, quotations, tables and list items of Markdown. */
const OWN_LINE = /^\s*(?:#|>|\||[*+-]\s|\d+[.)]\s)/;

/**
 * Splits `source` into passages headed by `title`: whole sentences, packed greedily while they count at most `maxWords`
 * words and 5,000 characters; a sentence of more words is a passage by itself, one of more characters is cut.
 *
 * Sentences and words are Unicode's (UAX 29), so that texts without spaces are counted too. A line break inside a
 * paragraph does not end a sentence. A passage is its heading, a space, and `source.slice(start, end)` with each run of
 * white space as one space; nothing but white space lies between two passages.
 *
 * @param maxWords - default 100, not counting the title
 */
export function splitPassages(title: string, source: string, maxWords = 100): SplitPassage[] {
  // A fixed language: results must not follow the machine's.
  const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
  const words = new Intl.Segmenter('en', { granularity: 'word' });
  const heading = /\p{Sentence_Terminal}$/u.test(title) ? title : `${title}.`;
  const passages: SplitPassage[] = [];
  let packedWords = 0;
  let start = 0;
  let end = 0;
  const emit = () => {
    if (end > start) {
      passages.push({ text: `${heading} ${source.slice(start, end).replace(/\s+/gu, ' ')}`, start, end });
    }
    packedWords = 0;
    start = end;
  };

  for (const { segment, index } of textSegments(sentences, joinWrappedLines(source), LONGEST_PASSAGE)) {
    const sentence = segment.trim();
    if (sentence === '') continue;
    const count = wordCount(words, sentence);
    const offset = index + segment.indexOf(sentence);
    // A sentence may have no word: without a limit in characters a text of signs only would be one passage.
    if (packedWords + count > maxWords || offset + sentence.length - start > LONGEST_PASSAGE) emit();
    if (end === start) start = offset;
    end = offset + sentence.length;
    packedWords += count;
  }
  emit();
  return passages;
}

function wordCount(words: Intl.Segmenter, sentence: string): number {
  let count = 0;
  for (const { isWordLike } of textSegments(words, sentence, LONGEST_WORD)) if (isWordLike) count += 1;
  return count;
}

/** Replaces line breaks inside paragraphs by as many spaces, so that offsets stay. */
function joinWrappedLines(source: string): string {
  const pieces = source.split(/(\r\n|\r|\n)/);
  for (let i = 1; i < pieces.length; i += 2) {
    const before = pieces[i - 1]!;
    const after = pieces[i + 1]!;
    const paragraphEnds = [before, after].some((line) => line.trim() === '' || OWN_LINE.test(line));
    if (!paragraphEnds) pieces[i] = ' '.repeat(pieces[i]!.length);
  }
  return pieces.join('');
}
