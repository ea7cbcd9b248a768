import { type CountryFacts, type CountryName, countryFacts } from './country-facts.js';

/** How a country compares with the others, computed from the facts of all. */
export interface CountryRelations {
  /** Place by area, from 1 for the largest, among the `measured` whose area is known. */
  readonly areaRank: number;
  readonly measured: number;
  /** Undefined where nothing is larger, or smaller, or where the area is unknown. */
  readonly nextLarger: CountryName | undefined;
  readonly nextSmaller: CountryName | undefined;
  /** Undefined where it has no neighbours. */
  readonly largestNeighbour: CountryName | undefined;
  readonly smallestNeighbour: CountryName | undefined;
  /** The others with the same set of currencies, alphabetical. */
  readonly sameCurrency: readonly CountryName[];
  /** The others in its subregion, alphabetical. */
  readonly sameSubregion: readonly CountryName[];
  /** The two others whose points lie closest on the globe. */
  readonly nearest: readonly CountryName[];
}

/** Relations of one country to all others. */
export function countryRelations(facts: CountryFacts): CountryRelations {
  const others = countryFacts().filter((other) => other.cca2 !== facts.cca2);
  const byArea = [...countryFacts()]
    .filter(({ area }) => area !== undefined)
    .sort((a, b) => b.area! - a.area!);
  const place = byArea.indexOf(facts);
  const titles = new Set(facts.neighbours.map(({ title }) => title));
  const neighbours = byArea.filter(({ title }) => titles.has(title));
  const currencies = (country: CountryFacts) => country.currencies.map(({ code }) => code).join();
  return {
    areaRank: place + 1,
    measured: byArea.length,
    nextLarger: place > 0 ? byArea[place - 1] : undefined,
    nextSmaller: place >= 0 ? byArea[place + 1] : undefined,
    largestNeighbour: neighbours[0],
    smallestNeighbour: neighbours.at(-1),
    sameCurrency: alphabetical(others.filter((other) => currencies(other) === currencies(facts))),
    sameSubregion: alphabetical(
      others.filter(({ subregion }) => subregion !== undefined && subregion === facts.subregion),
    ),
    nearest: others
      .map((other) => ({ other, nearness: nearness(facts, other) }))
      .sort((a, b) => b.nearness - a.nearness)
      .slice(0, 2)
      .map(({ other }) => other),
  };
}

/** Cosine of the angle between two points on the globe. */
function nearness(a: CountryFacts, b: CountryFacts): number {
  const [latitudeA, latitudeB, turn] = [a.latitude, b.latitude, a.longitude - b.longitude].map(
    (degrees) => (degrees * Math.PI) / 180,
  ) as [number, number, number];
  return (
    Math.sin(latitudeA) * Math.sin(latitudeB) + Math.cos(latitudeA) * Math.cos(latitudeB) * Math.cos(turn)
  );
}

function alphabetical(countries: readonly CountryFacts[]): CountryFacts[] {
  return [...countries].sort((a, b) => (a.title < b.title ? -1 : 1));
}
