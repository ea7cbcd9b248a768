import { composeQuery } from '../../../dist/esm/composition/index.js';
import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { countryPassages } from './country-passages.mjs';

const CONDITIONS = 3;
/** More countries than these do not meet all conditions of a query. */
const MOST_RELEVANT = 10;

/** What may be asked of a country, kind by kind: in words, and by the facts of any. */
const KINDS = [
  ({ subregion }) =>
    subregion === undefined
      ? []
      : [
          {
            text: `It lies in the subregion of ${subregion}`,
            holds: (facts) => facts.subregion === subregion,
          },
        ],
  ({ languages }) =>
    languages.map((language) => ({
      text: `people speak ${language} there`,
      holds: (facts) => facts.languages.includes(language),
    })),
  ({ currencies }) =>
    currencies.map(({ code, name }) => ({
      text: `people pay with the ${name}`,
      holds: (facts) => facts.currencies.some((currency) => currency.code === code),
    })),
  ({ landlocked }) => [
    {
      text: landlocked ? 'it is landlocked' : 'it has a coast',
      holds: (facts) => facts.landlocked === landlocked,
    },
  ],
];

/**
 * Three conditions at once: "It lies in the subregion of Western Africa; people speak French there; it is landlocked". Relevant are the
 * countries that meet all by their facts: at most ten, and fewer than meet any two of the three. No condition names a country: the one that is
 * named would come first.
 */
export async function conditionsTask() {
  const { passages, vectors, encoder, sources, ids } = await countryPassages();
  const asked = allConditions();
  const composed = {
    ...sources.dense.text,
    async encode({ conditions }) {
      const encoded = await encoder.encodeQueries(conditions);
      const { data, columns } = encoded.vectors;
      const parts = conditions.map((_, i) => ({
        vector: data.subarray(i * columns, (i + 1) * columns),
        weight: 1 / conditions.length,
      }));
      return composeQuery(parts, { normalise: true });
    },
  };
  return {
    measures: ['ndcg_cut_10', 'P_1', 'recall_10'],
    sources: { ...sources, dense: { ...sources.dense, composed } },
    ids: { ...ids, entity: [...new Set(passages.map(({ entityId }) => entityId))] },
    passages,
    vectors,
    encoder,
    queries: asked.map(({ id, conditions }) => {
      const texts = conditions.map(({ text }) => text);
      return {
        id,
        query: { text: texts.join('; '), conditions: texts },
        parts: texts.map((text) => ({ text })),
      };
    }),
    qrels: { entity: new Map(asked.map(({ id, relevant }) => [id, relevant])) },
  };
}

/** Every combination of three kinds that some country meets. */
function allConditions() {
  const countries = countryFacts();
  const meeting = (conditions) => countries.filter((facts) => conditions.every(({ holds }) => holds(facts)));
  const found = new Map();
  for (const conditions of countries.flatMap(combinationsOf)) {
    const key = conditions.map(({ text }) => text).join();
    if (found.has(key)) continue;
    const all = meeting(conditions);
    const isNeeded = (one) => meeting(conditions.filter((other) => other !== one)).length > all.length;
    if (all.length > MOST_RELEVANT || !conditions.every(isNeeded)) continue;
    found.set(key, { conditions, relevant: new Map(all.map(({ cca2 }) => [cca2.toLowerCase(), 1])) });
  }
  return [...found.values()].map((one, place) => ({ id: `conditions-${place + 1}`, ...one }));
}

/** All threes of a country's conditions, each of another kind. */
function combinationsOf(facts) {
  let combinations = [[]];
  for (const kind of KINDS) {
    const own = kind(facts);
    combinations = [
      ...combinations,
      ...combinations.flatMap((earlier) => own.map((condition) => [...earlier, condition])),
    ];
  }
  return combinations.filter(({ length }) => length === CONDITIONS);
}
