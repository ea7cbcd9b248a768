import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTruthFile } from '../../../src/demo/truth-file.js';
import { temporaryFolder } from '../corpus/temporary-folder.js';

function pictures(truth: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.jpg'), '');
  writeFileSync(join(folder, 'truth.jsonl'), truth);
  return folder;
}

describe('readTruthFile', () => {
  it('reads pictures and countries, in either case', async () => {
    const folder = pictures('{"file":"a.jpg","cca2":"FR"}\n\n{"file":"./a.jpg","cca2":"de","maker":"me"}');
    expect(await readTruthFile(folder)).toEqual([
      { file: join(folder, 'a.jpg'), cca2: 'FR' },
      { file: join(folder, 'a.jpg'), cca2: 'DE' },
    ]);
  });

  it('names every wrong line and what is wrong with it', async () => {
    const folder = pictures(
      [
        '{"file":"a.jpg","cca2":"FR"}',
        'oops',
        '{"file":"a.jpg","cca2":"XX"}',
        '{"file":"b.jpg","cca2":"FR"}',
        '{"cca2":"FR"}',
        'null',
        '{"file":"a.jpg"}',
      ].join('\n'),
    );
    await expect(readTruthFile(folder)).rejects.toMatchObject({
      code: 'CORPUS_LINE_INVALID',
      message: expect.stringMatching(
        /6 lines are wrong: line 2: .*line 3: .*"XX".*line 4: .*b\.jpg.*line 5:.*and 1 more$/,
      ),
      details: { lines: expect.objectContaining({ length: 6 }) },
    });
  });

  it('reports a folder without the file, and a file without pictures', async () => {
    await expect(readTruthFile(temporaryFolder())).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(readTruthFile(pictures('\n'))).rejects.toMatchObject({ code: 'CORPUS_EMPTY' });
  });
});
