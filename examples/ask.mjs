// From a few lines to a knowledge base, and a question about a picture.
//
//     node examples/ask.mjs
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Corpus, DescriptorImageEncoder, NgramTextEncoder, openMiRag } from 'granule';
import sharp from 'sharp';

const folder = await mkdtemp(join(tmpdir(), 'granule-example-'));
const kb = join(folder, 'kb');

/** An image of two halves, left and right. */
const banner = (left, right) =>
  sharp({ create: { width: 160, height: 120, channels: 3, background: left } })
    .composite([
      { input: { create: { width: 80, height: 120, channels: 3, background: right } }, left: 80, top: 0 },
    ])
    .png();

await banner('#c02020', '#f0f0f0').toFile(join(folder, 'ruby.png'));
await banner('#2030c0', '#f0d020').toFile(join(folder, 'azure.png'));

const corpus = await Corpus.create(kb, {
  textEncoder: new NgramTextEncoder(),
  imageEncoder: new DescriptorImageEncoder(),
});
const report = await corpus.ingest([
  {
    entity: { id: 'ruby', title: 'Rubyland', image: join(folder, 'ruby.png') },
    passages: [{ id: 'ruby-1', text: 'Rubyland. The capital of Rubyland is Crimson. It lies by the sea.' }],
  },
  {
    entity: { id: 'azure', title: 'Azuria', image: join(folder, 'azure.png') },
    passages: [{ id: 'azure-1', text: 'Azuria. The capital of Azuria is Cobalt. It lies in the hills.' }],
  },
]);
console.log(`${report.taken} taken, ${report.refused.length} refused`);
await corpus.close();

const opened = await openMiRag(kb);
const { answer, entity, passage, probabilities } = await opened.mirag.ask({
  question: 'What is the capital of this country?',
  image: join(folder, 'azure.png'),
});
console.log(answer);
console.log(`${entity.title}, p = ${probabilities.entity.toFixed(3)}, in passage ${passage.id}`);
await opened.dispose();
await rm(folder, { recursive: true });
