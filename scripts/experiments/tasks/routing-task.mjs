import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { countryQuestions } from '../../../dist/esm/demo/countries/country-questions.js';
import { pseudoRelevance } from '../../../dist/esm/evaluation/pseudo-relevance.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import { SeededRandom } from '../../../dist/esm/ranking/seeded-random.js';
import { matrix } from '../../../dist/esm/vectors/matrix.js';
import { countryPassages } from './country-passages.mjs';

/** How many questions ask for what passages tell, and how many for what images show. */
const QUESTIONS = { evaluation: 200, training: 250 };
const WISHES = { evaluation: 50, training: 60 };

/** Wishes to see something; as with questions, training and evaluation share no wording. */
const WORDINGS = {
  training: [
    'What does the flag look like?',
    'Show me the banner of this country.',
    'Which colours has the flag?',
  ],
  evaluation: [
    'Show me the flag.',
    'What are the colours of its flag?',
    'I want to see a picture of the banner.',
  ],
};

/**
 * A question, or a wish to see the flag, and the country's name, against passages of four kinds and images by their captions. Relevant
 * are the country's passages that hold an accepted answer, or its image; of the modalities, those that something relevant is of.
 *
 * The kinds of passages stand for modalities, for the demo has no others that texts can be compared with.
 */
export async function routingTask() {
  const { passages, vectors, encoder } = await countryPassages();
  const countries = countryFacts();
  const captions = countries.map(({ name }) => `The flag of ${name}`);
  const { vectors: captioned } = await encoder.encodePassages(captions);
  const data = new Float32Array(vectors.data.length + captioned.data.length);
  data.set(vectors.data);
  data.set(captioned.data, vectors.data.length);
  const pool = matrix(data, vectors.columns);
  const index = new FlatIndex({ dimension: pool.columns });
  await index.add(pool);
  const rows = [
    ...passages.map(({ id }) => ({ id, modality: id.split('-')[1] })),
    ...countries.map(({ cca2 }) => ({ id: cca2.toLowerCase(), modality: 'image' })),
  ];
  const modalityOf = new Map(rows.map(({ id, modality }) => [id, modality]));
  const items = {
    level: 'item',
    encode: async ({ text }) => (await encoder.encodeQueries([text])).vectors.data,
    async search(vector, { k, signal }) {
      const query = { data: vector, rows: 1, columns: pool.columns };
      return rankedLists(await index.search(query, { k: Math.min(k, index.rows), signal }))[0];
    },
  };
  const split = (name) => {
    const asked = [...questionsOf(name, passages), ...wishesOf(name)];
    const modalities = asked.map(({ relevant }) => new Set(relevant.map((id) => modalityOf.get(id))));
    const judged = (ids) => new Map([...ids].map((id) => [id, 1]));
    return {
      queries: asked.map(({ id, text }, i) => ({ id, query: { text }, modalities: [...modalities[i]] })),
      qrels: {
        item: new Map(asked.map(({ id, relevant }) => [id, judged(relevant)])),
        modality: new Map(asked.map(({ id }, i) => [id, judged(modalities[i])])),
      },
    };
  };
  return {
    measures: ['recip_rank', 'P_1'],
    sources: {
      dense: { items },
      ids: { item: async (found) => Array.from(found, (row) => rows[row].id) },
    },
    ids: { item: rows.map(({ id }) => id) },
    modalities: rows.map(({ modality }) => modality),
    ...split('evaluation'),
    validation: split('training'),
  };
}

function questionsOf(split, passages) {
  const titles = new Map(countryFacts().map(({ cca2, title }) => [cca2, title]));
  return countryQuestions({ seed: 1, split, count: QUESTIONS[split] }).map(
    ({ id, question, cca2, answers }) => ({
      id,
      text: `${question} ${titles.get(cca2)}`,
      relevant: passages
        .filter(({ entityId }) => entityId === cca2.toLowerCase())
        .filter(({ text }) => pseudoRelevance(text, answers) !== 'none')
        .map((passage) => passage.id),
    }),
  );
}

function wishesOf(split) {
  const random = new SeededRandom(`${split} wishes`);
  return Array.from({ length: WISHES[split] }, (_, place) => {
    const { cca2, title } = random.pick(countryFacts());
    return {
      id: `${split}-wish-${place + 1}`,
      text: `${random.pick(WORDINGS[split])} ${title}`,
      relevant: [cca2.toLowerCase()],
    };
  });
}
