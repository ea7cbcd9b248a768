import { GranuleError } from '../errors.js';
import type { ParsedCorpusLine } from './corpus-line.js';
import { splitPassages } from './passage-splitter.js';
import type { LineDocument, LinePassage } from './records.js';

/** A passage cut from a document: UTF-16 offsets into the document's text. */
export interface DocumentPassage extends LinePassage {
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
}

/** The passages of a document, `<document id>#1`, `<document id>#2`, ..., headed by its title, or else the entity's. */
export function documentPassages(document: LineDocument, entityTitle: string): DocumentPassage[] {
  return splitPassages(document.title ?? entityTitle, document.text).map((passage, i) => ({
    id: `${document.id}#${i + 1}`,
    documentId: document.id,
    ...passage,
  }));
}

/**
 * All passages of a line: those that it gives, then those of its documents.
 *
 * @throws GranuleError `DUPLICATE_ID` where two have one id
 */
export function linePassages(line: ParsedCorpusLine): (LinePassage | DocumentPassage)[] {
  const passages = [
    ...line.passages,
    ...line.documents.flatMap((document) => documentPassages(document, line.entity.title)),
  ];
  const seen = new Set<string>();
  for (const { id } of passages) {
    if (seen.has(id)) {
      throw new GranuleError(
        'DUPLICATE_ID',
        `passage id '${id}' occurs twice in the line and its documents`,
        { id },
      );
    }
    seen.add(id);
  }
  return passages;
}
