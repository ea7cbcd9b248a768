import { countryFacts } from '../../../dist/esm/demo/countries/country-facts.js';
import {
  evidenceTriples,
  itemsOfTriples,
  layoutPrior,
  relationPrior,
} from '../../../dist/esm/fusion/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';
import { rankedList } from '../../../dist/esm/ranking/ranked-list.js';

/** An atlas per continent, a page per country in the order of their codes: a flag above four passages, two by two. Millimetres. */
const PAGE_SIZE = [210, 297];
const FLAG_BOX = [60, 15, 150, 82];
const PASSAGE_BOXES = [
  [15, 97, 100, 187],
  [110, 97, 195, 187],
  [15, 197, 100, 287],
  [110, 197, 195, 287],
];

/** What a pair of items of one country is related by, and of neighbours. */
const RELATIONS = { same: 30, neighbours: 3 };

const PRIORS = { layout: layoutOfAtlas, relations: relationsOfCountries, none: () => () => 1 };

/**
 * Passages and images in one list, by the posterior of their best triple: what `texts`, `images` and `pages` find, and whether they
 * belong together.
 */
export function triples({ sources, ids }, { pipelines, prior, quota, ...options }) {
  const retrievers = Object.entries(pipelines).map(([kind, stages]) => [kind, pipeline(stages, { sources })]);
  const placeOf = new Map(ids.image.map((id, place) => [id, place]));
  const priorOf = PRIORS[prior.name](prior);
  const pool = [...ids.passage, ...ids.image];
  return async ({ query }) => {
    const lists = {};
    for (const [kind, retriever] of retrievers) {
      const found = await retriever.retrieve(query);
      // Pages are groups, which a pipeline numbers as it meets them; here a page has the number of its country.
      const rows = kind === 'pages' ? found.ids.map((id) => placeOf.get(id)) : found.list.rows;
      lists[kind] = { ...found.list, rows: Uint32Array.from(rows) };
    }
    const { texts, images } = itemsOfTriples(evidenceTriples(lists, priorOf, options), {
      texts: quota,
      images: quota,
      pages: 0,
    });
    const list = rankedList(
      [...texts.rows, ...images.rows.map((row) => ids.passage.length + row)],
      [...texts.scores, ...images.scores],
    );
    return { list, level: 'mixed', ids: Array.from(list.rows, (row) => pool[row]) };
  };
}

function layoutOfAtlas({ distance }) {
  const countries = countryFacts();
  const counted = new Map();
  const pages = countries.map(({ region }) => {
    const page = counted.get(region) ?? 0;
    counted.set(region, page + 1);
    return { document: region, page };
  });
  const flags = pages.map((page) => ({ ...page, box: FLAG_BOX, pageSize: PAGE_SIZE }));
  const passages = pages.flatMap((page) =>
    PASSAGE_BOXES.map((box) => ({ ...page, box, pageSize: PAGE_SIZE })),
  );
  return (text, image, page) => layoutPrior(passages[text], flags[image], pages[page], { distance });
}

function relationsOfCountries() {
  const countries = countryFacts();
  const borders = countries.map(({ neighbours }) => new Set(neighbours.map(({ title }) => title)));
  const relation = (a, b) => {
    if (a === b) return RELATIONS.same;
    return borders[a].has(countries[b].title) ? RELATIONS.neighbours : 0;
  };
  return (text, image, page) => {
    const country = Math.floor(text / PASSAGE_BOXES.length);
    return relationPrior([relation(country, image), relation(image, page), relation(country, page)]);
  };
}
