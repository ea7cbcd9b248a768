import { composeQuery } from '../../../dist/esm/composition/index.js';
import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { countryPassages } from './country-passages.mjs';

const LEAST_CONDITIONS = 2;
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
];

/**
 * Two or three conditions at once: "It lies in the subregion of Western Europe; people speak French there; people pay with the Euro".
 * Relevant are the countries that meet all by their facts: at most ten, and more meet all but any one.
 *
 * No condition names a country, for that one would come first; and none asks for a coast: passages say of some countries that they are
 * landlocked and of others that they are not, which words do not tell apart.
 */
export async function conditionsTask() {
  const { passages, vectors, encoder, sources, ids } = await countryPassages();
  const asked = combinedConditions();
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

/** Every second combination that some country meets. */
function combinedConditions() {
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
  const half = [...found.values()].filter((_, place) => place % 2 === 0);
  return half.map((one, place) => ({ id: `conditions-${place + 1}`, ...one }));
}

/** All twos and threes of a country's conditions, each of another kind. */
function combinationsOf(facts) {
  let combinations = [[]];
  for (const kind of KINDS) {
    const own = kind(facts);
    combinations = [
      ...combinations,
      ...combinations.flatMap((earlier) => own.map((condition) => [...earlier, condition])),
    ];
  }
  return combinations.filter(({ length }) => length >= LEAST_CONDITIONS);
}
