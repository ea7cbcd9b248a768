import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import { englishList } from '../../../dist/esm/demo/countries/english-list.js';
import { countryPassages } from './country-passages.mjs';

/**
 * Facts about a country that is not named, told in different passages, against passages and entities. Relevant are all
 * passages of the country, and the country. Countries at even places of the alphabet are measured, the others fitted on. Some
 * territories have the same facts, and the names of neighbours lead to the neighbours: no method can find all.
 */
export async function cluesTask() {
  const { passages, sources, ids } = await countryPassages();
  const split = (remainder) => {
    const countries = countryFacts().filter((_, place) => place % 2 === remainder);
    const idOf = ({ cca2 }) => cca2.toLowerCase();
    const ofCountry = (id) => passages.filter(({ entityId }) => entityId === id).map((passage) => passage.id);
    return {
      queries: countries.map((facts) => ({ id: idOf(facts), query: { text: cluesAbout(facts) } })),
      qrels: {
        passage: new Map(
          countries.map(idOf).map((id) => [id, new Map(ofCountry(id).map((passage) => [passage, 1]))]),
        ),
        entity: new Map(countries.map(idOf).map((id) => [id, new Map([[id, 1]])])),
      },
    };
  };
  return {
    measures: ['recip_rank', 'P_1', 'ndcg_cut_10'],
    sources,
    ids,
    ...split(0),
    validation: split(1),
  };
}

function cluesAbout({ subregion, languages, currencies, neighbours, landlocked }) {
  const names = (parts) => englishList(parts);
  return [
    subregion && `It lies in ${subregion}`,
    languages.length > 0 && `its languages are ${names(languages)}`,
    currencies.length > 0 && `people pay with ${names(currencies.map(({ name }) => name))}`,
    neighbours.length > 0 && `it borders ${names(neighbours.map(({ name }) => name))}`,
    landlocked ? 'it is landlocked' : 'it has a coast',
  ]
    .filter(Boolean)
    .join('; ');
}
