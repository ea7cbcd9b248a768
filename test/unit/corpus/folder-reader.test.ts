import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import { fakeEncoders } from './fake-encoders.js';
import { contents, lookAt } from './small-corpus.js';
import { temporaryFolder } from './temporary-folder.js';

const png = () =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();

async function ingest(folder: string) {
  const corpus = await Corpus.create(join(temporaryFolder(), 'kb'), fakeEncoders());
  const report = await corpus.ingest(folder);
  return { corpus, report };
}

describe('ingest of a folder', () => {
  it('makes entities of images and texts by their names', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'red_panda-cub.PNG'), await png());
    writeFileSync(join(folder, 'red_panda-cub.txt'), 'It sleeps. It eats bamboo.');
    writeFileSync(join(folder, 'snow-leopard.md'), 'It hunts.');
    writeFileSync(
      join(folder, 'yak.webp'),
      await sharp(await png())
        .webp()
        .toBuffer(),
    );
    writeFileSync(join(folder, '.hidden'), 'x');
    const { corpus, report } = await ingest(folder);
    expect(report).toMatchObject({ taken: 3, refused: [], passages: 2, images: 2 });
    await lookAt(corpus, async (snapshot) => {
      const entities: string[][] = [];
      for await (const { id, title } of snapshot.entities()) entities.push([id, title]);
      expect(entities).toEqual([
        ['red_panda-cub', 'red panda cub'],
        ['snow-leopard', 'snow leopard'],
        ['yak', 'yak'],
      ]);
      expect(await snapshot.passages([0, 1])).toMatchObject([
        {
          id: 'red_panda-cub#1',
          entityId: 'red_panda-cub',
          text: 'red panda cub. It sleeps. It eats bamboo.',
        },
        { id: 'snow-leopard#1', entityId: 'snow-leopard', text: 'snow leopard. It hunts.' },
      ]);
    });
    await corpus.close();
  });

  it('refuses what it cannot use, by name', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.png'), await png());
    writeFileSync(join(folder, 'a.txt'), 'One.');
    writeFileSync(join(folder, 'a.md'), 'Two.');
    writeFileSync(
      join(folder, 'a.jpg'),
      await sharp(await png())
        .jpeg()
        .toBuffer(),
    );
    writeFileSync(join(folder, 'b.pdf'), 'x');
    writeFileSync(join(folder, 'c.png'), 'no image');
    writeFileSync(join(folder, 'd.txt'), Buffer.from([0x61, 0xff]));
    mkdirSync(join(folder, 'e.png'));
    const { report } = await ingest(folder);
    expect(report.taken).toBe(1);
    expect(report.refused.map(({ code, message }) => [code, message.match(/[a-e]\.\w+|'a/)?.[0]])).toEqual([
      ['DUPLICATE_ID', 'a.md'],
      ['DUPLICATE_ID', "'a"],
      ['CORPUS_LINE_INVALID', 'b.pdf'],
      ['IMAGE_UNREADABLE', 'c.png'],
      ['CORPUS_LINE_INVALID', 'd.txt'],
      ['CORPUS_LINE_INVALID', 'e.png'],
    ]);
  });

  it('prefers corpus.jsonl', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'yak.txt'), 'A yak.');
    writeFileSync(join(folder, 'corpus.jsonl'), '{"entity":{"id":"x","title":"X"},"passages":[]}');
    const { corpus } = await ingest(folder);
    expect((await contents(corpus)).entities).toEqual(['x']);
    await corpus.close();
  });

  it('reports an empty folder', async () => {
    await expect(ingest(temporaryFolder())).rejects.toMatchObject({ code: 'CORPUS_EMPTY' });
  });
});
