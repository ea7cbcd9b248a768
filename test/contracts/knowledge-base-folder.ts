import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { Corpus } from '../../src/corpus/corpus.js';
import { builtInEncoders } from '../../src/systems/built-in-encoders.js';

/** Makes a knowledge base of two entities with pictures in `folder`, and returns its path and the bytes of both. */
export async function makeKnowledgeBase(folder: string): Promise<{ kb: string; red: Buffer; blue: Buffer }> {
  const picture = (background: string) =>
    sharp({ create: { width: 96, height: 72, channels: 3, background } })
      .composite([
        { input: { create: { width: 40, height: 30, channels: 3, background: 'white' } }, left: 8, top: 8 },
      ])
      .png()
      .toBuffer();
  const [red, blue] = await Promise.all([picture('#e02020'), picture('#2040e0')]);
  writeFileSync(join(folder, 'red.png'), red);
  writeFileSync(join(folder, 'blue.png'), blue);
  const line = (id: string, title: string, text: string) => ({
    entity: { id, title, image: join(folder, `${id}.png`) },
    metadata: { colour: id },
    passages: [{ id: `${id}-1`, text: `${title}. ${text}` }],
  });
  const kb = join(folder, 'kb');
  const corpus = await Corpus.create(kb, builtInEncoders());
  await corpus.ingest([
    line('red', 'Ruby', 'The capital of Ruby is Crimson. It lies by the sea.'),
    line('blue', 'Sapphire', 'The capital of Sapphire is Azure. It lies in the hills.'),
  ]);
  corpus.close();
  return { kb, red, blue };
}
