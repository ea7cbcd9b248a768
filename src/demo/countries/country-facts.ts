import worldCountries, { type Country } from 'world-countries';

/** Who made the facts and on what terms; to be shown wherever they are. */
export const COUNTRY_FACTS_ATTRIBUTION =
  'Country facts: world-countries by Mohammed Le Doze and contributors, Open Database License (ODbL) 1.0.';

/** What the demo knows about one country or territory, in English. Empty lists and undefined: not recorded. */
export interface CountryFacts {
  /** Two-letter code of ISO 3166-1, upper case. */
  readonly cca2: string;
  readonly title: string;
  /** The title as it stands inside a sentence: `the Netherlands`, `France`. */
  readonly name: string;
  /** Whether the name takes a plural verb. */
  readonly plural: boolean;
  readonly official: string;
  readonly unMember: boolean;
  readonly region: string;
  readonly subregion: string | undefined;
  readonly capitals: readonly string[];
  /** Alphabetical. */
  readonly neighbours: readonly CountryName[];
  /** Alphabetical. */
  readonly languages: readonly string[];
  /** Alphabetical by name. */
  readonly currencies: readonly { readonly code: string; readonly name: string; readonly symbol: string }[];
  readonly demonym: string | undefined;
  /** Domains in Latin letters, with their dot. */
  readonly domains: readonly string[];
  readonly callingCodes: readonly string[];
  readonly codes: {
    readonly two: string;
    readonly three: string;
    readonly number: string;
    readonly olympic: string;
  };
  /** Square kilometres. */
  readonly area: number | undefined;
  readonly landlocked: boolean;
  /** Degrees north and east. */
  readonly latitude: number;
  readonly longitude: number;
  readonly nativeNames: readonly { readonly language: string; readonly name: string }[];
  readonly foreignNames: readonly { readonly language: string; readonly name: string }[];
}

/** How a country is called in a title and inside a sentence. */
export interface CountryName {
  readonly title: string;
  readonly name: string;
}

/** Translations that are told, by their code in the data. */
const TOLD_TRANSLATIONS: Readonly<Record<string, string>> = {
  ces: 'Czech',
  deu: 'German',
  fin: 'Finnish',
  fra: 'French',
  ita: 'Italian',
  nld: 'Dutch',
  por: 'Portuguese',
  swe: 'Swedish',
};

const TITLES_WITH_ARTICLE =
  /^(?:Bahamas|Comoros|DR Congo|Gambia|Maldives|Philippines|Isle of Man|United .*|.*Netherlands|.*Republic|Republic .*|.*Territory|.*Lands|.*Virgin Islands|(?!Heard).*Islands)$/u;
const PLURAL_TITLES = /(?:Islands|Lands)$/u;

/** The facts of all 250 countries and territories, in the order of their two-letter codes. */
export function countryFacts(): readonly CountryFacts[] {
  facts ??= build();
  return facts;
}

let facts: readonly CountryFacts[] | undefined;

/** The module is CommonJS: its default export is the list itself, which its types do not say. */
const COUNTRIES = worldCountries as unknown as readonly Country[];

function build(): readonly CountryFacts[] {
  const byCode3 = new Map(COUNTRIES.map((country) => [country.cca3, country]));
  return COUNTRIES.map((country) => factsOf(country, byCode3)).sort((a, b) => compare(a.cca2, b.cca2));
}

function factsOf(country: Country, byCode3: ReadonlyMap<string, Country>): CountryFacts {
  const title = country.name.common;
  return {
    cca2: country.cca2,
    title,
    name: nameOf(title),
    plural: PLURAL_TITLES.test(title),
    official: country.name.official,
    // The Vatican, an observer, is marked as a member, but belongs to none of the groups that every member belongs to.
    unMember: country.unMember && country.unRegionalGroup !== '',
    region: country.region,
    subregion: country.subregion === '' ? undefined : country.subregion,
    capitals: country.capital.filter((capital) => capital !== ''),
    neighbours: country.borders
      .map((code) => byCode3.get(code)!.name.common)
      .sort(compare)
      .map((neighbour) => ({ title: neighbour, name: nameOf(neighbour) })),
    languages: Object.values(country.languages).sort(compare),
    currencies: Object.entries(country.currencies)
      .map(([code, { name, symbol }]) => ({ code, name, symbol: symbol.replace(/\s+/gu, ' ') }))
      .sort((a, b) => compare(a.name, b.name)),
    demonym: country.demonyms['eng']?.m || undefined,
    domains: country.tld.filter((domain) => /^\.[a-z]+$/u.test(domain)),
    callingCodes: callingCodesOf(country),
    codes: { two: country.cca2, three: country.cca3, number: country.ccn3, olympic: country.cioc },
    area: country.area > 0 ? country.area : undefined,
    landlocked: country.landlocked,
    latitude: country.latlng[0],
    longitude: country.latlng[1],
    nativeNames: Object.entries(country.name.native)
      .filter(
        ([language, { official }]) =>
          country.languages[language] !== undefined && official !== country.name.official,
      )
      .map(([language, { official }]) => ({ language: country.languages[language]!, name: official.trim() })),
    foreignNames: Object.entries(TOLD_TRANSLATIONS)
      .filter(([language]) => country.translations[language] !== undefined)
      .map(([code, language]) => ({ language, name: country.translations[code]!.common }))
      .filter(({ language, name }) => name !== title && country.languages[language] === undefined),
  };
}

function nameOf(title: string): string {
  return TITLES_WITH_ARTICLE.test(title) ? `the ${title}` : title;
}

/** The data splits codes into a root and suffixes; many suffixes are area codes under one shared root. */
function callingCodesOf(country: Country): string[] {
  const { root, suffixes } = country.idd;
  if (root === '') return [];
  return suffixes.length > 3 ? [root] : suffixes.map((suffix) => root + suffix);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
