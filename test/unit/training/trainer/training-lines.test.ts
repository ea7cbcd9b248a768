import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { divideLines, refuseLeaks } from '../../../../src/training/trainer/divide-lines.js';
import { readTrainingLines, type TrainingLine } from '../../../../src/training/trainer/training-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(...lines: readonly (object | string)[]): string {
  const file = join(folder, 'lines.jsonl');
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return file;
}

describe('examples', () => {
  it('are read with all that a line may say', async () => {
    const file = fileOf(
      { query: 'a', positives: ['p', 'p'], negatives: ['n'], grades: { q: 2 }, group: 'g' },
      '',
      { image: 'b.png', positives: ['e'] },
      { query: 'c', answers: ['Paris'] },
    );
    const [first, second, third] = await readTrainingLines(file);
    expect(first).toMatchObject({
      query: 'a',
      positives: ['p', 'q'],
      negatives: ['n'],
      grades: { q: 2 },
      group: 'g',
      line: 1,
    });
    expect(second).toMatchObject({ image: join(folder, 'b.png'), line: 3, place: `${file}, line 3` });
    expect(third).toMatchObject({ answers: ['Paris'], positives: [] });
  });

  it.each([
    ['{"query": "a", ', /line 2: the line is not JSON/],
    ['[]', /must be a JSON object/],
    [{ query: 'a' }, /neither positives nor answers/],
    [{ positives: ['p'] }, /needs "query" or "image", and not both/],
    [{ query: 'a', image: 'b', positives: ['p'] }, /needs "query" or "image", and not both/],
    [{ query: ' ', positives: ['p'] }, /"query" must be a text/],
    [{ query: 'a', positives: 'p' }, /"positives" must be a list of texts/],
    [{ query: 'a', positives: [1] }, /"positives" must be a list of texts/],
    [{ query: 'a', positives: ['p'], grades: { p: 0 } }, /"grades" must give ids whole numbers above 0/],
    [{ image: 'a', answers: ['p'] }, /an image needs positives/],
    [{ query: 'a', positive: ['p'] }, /unknown key "positive"; known are query/],
  ])('are refused with the number of the line: %j', async (line, message) => {
    const file = fileOf({ query: 'a', positives: ['p'] }, line);
    await expect(readTrainingLines(file)).rejects.toMatchObject({
      code: 'TRAINING_DATA_INVALID',
      message: expect.stringMatching(message),
      details: { file, line: 2 },
    });
  });

  it('are refused where there are none', async () => {
    await expect(readTrainingLines(fileOf(' '))).rejects.toMatchObject({ code: 'TRAINING_DATA_INVALID' });
    await expect(readTrainingLines(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

function example(line: number, positives: string[], group?: string): TrainingLine {
  const place = `file, line ${line}`;
  return {
    place,
    file: 'file',
    line,
    query: 'q',
    positives,
    negatives: [],
    grades: {},
    answers: [],
    ...(group && { group }),
  };
}

describe('a division of examples', () => {
  // 40 clusters of three lines: two with a common positive, the third with the group of the second.
  const lines = Array.from({ length: 40 }, (_, i) => [
    example(3 * i, [`p${i}`]),
    example(3 * i + 1, [`p${i}`], `g${i}`),
    example(3 * i + 2, [`q${i}`], `g${i}`),
  ]).flat();

  it('keeps together what belongs together, has its share, and is that of its seed', () => {
    const divided = divideLines(lines, 0.2, 1);
    expect(divided.dev).toHaveLength(24);
    expect(divided.train).toHaveLength(96);
    const clusters = (some: readonly TrainingLine[]) => new Set(some.map(({ line }) => Math.floor(line / 3)));
    expect(clusters(divided.dev).size + clusters(divided.train).size).toBe(40);
    expect(() => refuseLeaks(divided)).not.toThrow();
    expect(divideLines(lines, 0.2, 1)).toEqual(divided);
    expect(divideLines(lines, 0.2, 2)).not.toEqual(divided);
  });

  it('keeps together what one line alone joins', () => {
    const joined = [
      example(1, ['a']),
      example(2, ['b'], 'g'),
      example(3, ['c'], 'h'),
      example(4, ['b', 'c', 'a']),
    ];
    const others = Array.from({ length: 6 }, (_, i) => example(10 + i, [`o${i}`]));
    for (let seed = 0; seed < 20; seed++) {
      const divided = divideLines([...joined, ...others], 0.4, seed);
      expect(() => refuseLeaks(divided)).not.toThrow();
      expect([0, 4]).toContain(divided.dev.filter((line) => joined.includes(line)).length);
    }
  });

  it('is refused where everything belongs together', () => {
    expect(() => divideLines([example(1, ['p']), example(2, ['p'])], 0.5, 0)).toThrow(
      expect.objectContaining({ code: 'TRAINING_DATA_INVALID' }),
    );
  });

  it('of the user is refused where a group or a positive of dev is trained on, and names the lines', () => {
    const train = [example(1, ['a'], 'g')];
    const leak = (dev: TrainingLine) => () => refuseLeaks({ train, dev: [example(7, ['b'], 'h'), dev] });
    expect(leak(example(8, ['a']))).toThrow(/file, line 8: its positive "a" is trained on, in file, line 1/);
    expect(leak(example(9, ['c'], 'g'))).toThrow(
      /file, line 9: its group "g" is trained on, in file, line 1/,
    );
    expect(leak(example(9, ['c', 'a'], 'i'))).toThrow(/file, line 9: its positive "a" is trained on/);
    // A group and a positive of one name are not the same.
    expect(leak(example(9, ['g'], 'a'))).not.toThrow();
  });
});
