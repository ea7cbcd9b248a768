// Exact search over texts: encode, index, search.
//
//     node examples/search.mjs "who can fly?"
import { FlatIndex, NgramTextEncoder } from 'granule';

const texts = [
  'Penguins swim well and cannot fly.',
  'Eagles fly high and see far.',
  'Moles dig tunnels and hardly see.',
];
const encoder = new NgramTextEncoder();
encoder.fit(texts);
const passages = await encoder.encodePassages(texts);

const index = new FlatIndex({ dimension: encoder.dimension });
await index.add(passages.vectors);

const question = process.argv[2] ?? 'Who can fly high?';
const queries = await encoder.encodeQueries([question]);
const hits = await index.search(queries.vectors, { k: 2, temperature: 0.1 });
hits.rows.forEach((row, place) => {
  console.log(`${hits.probabilities[place].toFixed(3)}  ${texts[row]}`);
});
index.dispose();
