/** A passage cut from a longer text. */
export interface SplitPassage {
  /** The title as a sentence of its own, then the sentences, joined by one space. */
  readonly text: string;
  /** Where the sentences stand in the source, as UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** Lines that begin so stand for themselves: headings, quotations, tables and list items of Markdown. */
const OWN_LINE = /^\s*(?:#|>|\||[*+-]\s|\d+[.)]\s)/;

/**
 * Splits `source` into passages headed by `title`: whole sentences, packed greedily while they count at most `maxWords`
 * words; a longer sentence is a passage by itself.
 *
 * Sentences and words are Unicode's (UAX 29), so that texts without spaces are counted too. A line break inside a
 * paragraph does not end a sentence.
 *
 * @param maxWords - default 100, not counting the title
 */
export function splitPassages(title: string, source: string, maxWords = 100): SplitPassage[] {
  // A fixed language: results must not follow the machine's.
  const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
  const words = new Intl.Segmenter('en', { granularity: 'word' });
  const heading = /\p{Sentence_Terminal}$/u.test(title) ? title : `${title}.`;
  const passages: SplitPassage[] = [];
  let packed: string[] = [];
  let packedWords = 0;
  let start = 0;
  let end = 0;
  const emit = () => {
    if (packed.length > 0) passages.push({ text: `${heading} ${packed.join(' ')}`, start, end });
    packed = [];
    packedWords = 0;
  };

  for (const { segment, index } of sentences.segment(joinWrappedLines(source))) {
    const sentence = segment.trim();
    if (sentence === '') continue;
    const count = wordCount(words, sentence);
    if (packedWords + count > maxWords) emit();
    const offset = index + segment.indexOf(sentence);
    if (packed.length === 0) start = offset;
    end = offset + sentence.length;
    packed.push(sentence.replace(/\s+/gu, ' '));
    packedWords += count;
  }
  emit();
  return passages;
}

function wordCount(words: Intl.Segmenter, sentence: string): number {
  let count = 0;
  for (const { isWordLike } of words.segment(sentence)) if (isWordLike) count += 1;
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

/** The passages of a document. */
export function documentPassages(
  document: { readonly id: string; readonly title?: string; readonly text: string },
  entityTitle: string,
): (SplitPassage & { readonly id: string })[] {
  const split = splitPassages(document.title ?? entityTitle, document.text);
  return split.map((passage, i) => ({ id: `${document.id}#${i + 1}`, ...passage }));
}
