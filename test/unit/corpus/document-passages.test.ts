import { describe, expect, it } from 'vitest';
import { parseCorpusLine } from '../../../src/corpus/corpus-line.js';
import { documentPassages, linePassages } from '../../../src/corpus/document-passages.js';

const sentence = (words: number) => `Once${' word'.repeat(words - 1)}.`;

describe('documentPassages', () => {
  it('numbers the passages of a document and heads them by its title, or else the entity’s', () => {
    const text = `${sentence(60)}\n\n${sentence(60)}`;
    const offsets = { start: 302, end: 602 };
    expect(documentPassages({ id: 'fr/law', title: 'Law', text }, 'France')).toEqual([
      { id: 'fr/law#1', documentId: 'fr/law', text: `Law. ${sentence(60)}`, start: 0, end: 300 },
      { id: 'fr/law#2', documentId: 'fr/law', text: `Law. ${sentence(60)}`, ...offsets },
    ]);
    expect(documentPassages({ id: 'fr/law', text }, 'France')[1]).toEqual({
      id: 'fr/law#2',
      documentId: 'fr/law',
      text: `France. ${sentence(60)}`,
      ...offsets,
    });
  });
});

describe('linePassages', () => {
  const entity = { id: 'fr', title: 'France' };

  it('gives those of the line, then those of its documents', () => {
    const line = parseCorpusLine({
      entity,
      passages: [{ id: 'p', text: 'Paris.' }],
      documents: [
        { id: 'd', text: 'One.' },
        { id: 'e', text: 'Two.' },
      ],
    });
    expect(linePassages(line).map(({ id, text }) => [id, text])).toEqual([
      ['p', 'Paris.'],
      ['d#1', 'France. One.'],
      ['e#1', 'France. Two.'],
    ]);
  });

  it('refuses a passage with the id of a document’s passage', () => {
    const line = parseCorpusLine({
      entity,
      passages: [{ id: 'd#1', text: 'Paris.' }],
      documents: [{ id: 'd', text: 'One.' }],
    });
    expect(() => linePassages(line)).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_ID', details: { id: 'd#1' } }),
    );
  });
});
