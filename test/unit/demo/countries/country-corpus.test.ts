import { describe, expect, test } from 'vitest';
import { countryCorpus } from '../../../../src/demo/countries/country-corpus.js';
import { countryFacts } from '../../../../src/demo/countries/country-facts.js';
import { countryPassage, grouped } from '../../../../src/demo/countries/country-passages.js';

const corpus = countryCorpus((cca2) => `flags/${cca2}.svg`);
const passages = corpus.flatMap((line) => line.passages.map((passage) => ({ line, ...passage })));

describe('the knowledge base', () => {
  test('has 250 entities and 1,000 passages with ids of their own', () => {
    expect(corpus).toHaveLength(250);
    expect(new Set(corpus.map(({ entity }) => entity.id)).size).toBe(250);
    expect(passages).toHaveLength(1000);
    expect(new Set(passages.map(({ id }) => id)).size).toBe(1000);
    expect(corpus.find(({ entity }) => entity.id === 'fr')!.entity).toEqual({
      id: 'fr',
      title: 'France',
      image: 'flags/FR.svg',
    });
  });

  test('has passages of about 100 words, each headed by its title', () => {
    for (const { line, text } of passages) {
      const words = text.split(' ').length;
      expect(words, text).toBeGreaterThanOrEqual(60);
      expect(words, text).toBeLessThanOrEqual(130);
      expect(
        text.startsWith(`${line.entity.title}.`) || text.startsWith(`${line.entity.title}: `),
        text,
      ).toBe(true);
    }
  });

  test('has no gaps where a fact is missing, and clean sentences', () => {
    for (const { text } of passages) {
      expect(text).not.toMatch(/undefined|null|NaN|\.\.| {2}| [,;:]| \.(?=[\s.])|-1 square/u);
      expect(text).toMatch(/\.$/u);
    }
  });

  test('is worded in several ways', () => {
    const openings = new Set(
      countryFacts().map((facts) =>
        countryPassage(facts, 'money').replaceAll(facts.title, 'X').split('. ')[1]!.slice(0, 18),
      ),
    );
    expect(openings.size).toBeGreaterThan(4);
  });
});

test('a fact that is not recorded is said to be missing', () => {
  const text = (id: string, topic: string) =>
    passages.find((passage) => passage.id === `${id}-${topic}`)!.text;
  expect(text('aq', 'geography')).toMatch(/Antarctica has no capital|No capital is recorded for Antarctica/u);
  expect(text('aq', 'money')).toMatch(/no recorded currency|No currency is recorded/u);
  expect(text('aq', 'people')).toMatch(/No language is recorded|no recorded language/u);
  expect(text('jp', 'neighbours')).toMatch(/no other country|no land border/u);
});

test('every recorded fact is told as it is recorded', () => {
  for (const facts of countryFacts()) {
    const { passages: own } = corpus.find(({ entity }) => entity.id === facts.cca2.toLowerCase())!;
    const [geography, people, money, neighbours] = own.map(({ text }) => text);
    for (const capital of facts.capitals) expect(geography).toContain(capital);
    if (facts.area !== undefined) expect(geography).toContain(`${grouped(facts.area)} square kilometres`);
    for (const language of facts.languages) expect(people).toContain(language);
    expect(people).toContain(facts.official);
    for (const { name } of facts.currencies) expect(money).toContain(name);
    for (const domain of facts.domains) expect(money).toContain(domain);
    for (const { name } of facts.neighbours) expect(neighbours).toContain(name);
  }
});

test.each([
  [0.44, '0.44'],
  [999, '999'],
  [1000, '1,000'],
  [551695, '551,695'],
  [17098242, '17,098,242'],
  [1234.5678, '1,234.5678'],
])('%d is written %s', (value, text) => {
  expect(grouped(value)).toBe(text);
});
