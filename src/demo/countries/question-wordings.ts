/** What a question asks for. */
export type QuestionKind =
  | 'capital'
  | 'currency'
  | 'neighbours'
  | 'languages'
  | 'region'
  | 'subregion'
  | 'demonym'
  | 'domain'
  | 'diallingCode'
  | 'area'
  | 'officialName';

/** Wordings of one kind: those that a reader may be tuned on, and those that are kept for evaluation. */
export interface Wordings {
  readonly training: readonly string[];
  readonly evaluation: readonly string[];
}

/** Every wording; none names a country. */
export const QUESTION_WORDINGS: Readonly<Record<QuestionKind, Wordings>> = {
  capital: {
    training: [
      'What is the capital of the country with this flag?',
      'Which city is the capital here?',
      'Name the capital of this place.',
      'What is this place’s capital called?',
    ],
    evaluation: [
      'What is the capital of this country?',
      'What is the capital city?',
      'Which city serves as the capital of this nation?',
      'Tell me the capital that belongs to this flag.',
    ],
  },
  currency: {
    training: [
      'What is the currency of this country?',
      'What money is used in this place?',
      'With which currency do people pay in this country?',
      'Name the official currency.',
    ],
    evaluation: [
      'Which currency do people use here?',
      'What kind of money do people pay with here?',
      'Which currency is used in the country that flies this flag?',
      'What is the official currency called?',
    ],
  },
  neighbours: {
    training: [
      'What are the neighbours of this country?',
      'With which countries does it share a land border?',
      'Which countries are its neighbours?',
      'Name the countries that border this one.',
    ],
    evaluation: [
      'Which countries border it?',
      'What countries does this one share borders with?',
      'Name the neighbouring countries.',
      'Which countries are next to this one?',
    ],
  },
  languages: {
    training: [
      'What languages do people speak in this country?',
      'Which language is spoken here?',
      'What is the language of this country?',
      'Name every language of this place.',
    ],
    evaluation: [
      'Which languages are spoken here?',
      'What do people speak in this country?',
      'Name the languages of the country with this flag.',
      'Which languages does one hear spoken in this place?',
    ],
  },
  region: {
    training: [
      'Which continent or region does it belong to?',
      'What is the wider region of this country?',
      'On which continent is this place?',
    ],
    evaluation: [
      'Which continent is it part of?',
      'What region of the world is this country in?',
      'Name the continent.',
    ],
  },
  subregion: {
    training: [
      'What is the subregion of this country?',
      'To which subregion does it belong?',
      'In which subregion does it lie?',
    ],
    evaluation: [
      'Which subregion is it in?',
      'Name the subregion of the place with this flag.',
      'What subregion is this country part of?',
    ],
  },
  demonym: {
    training: [
      'What are people from this country called?',
      'What is the demonym of this country?',
      'What is someone from here called?',
    ],
    evaluation: [
      'Which demonym is used for the people?',
      'What is a person from this country called?',
      'What do we call people from here?',
    ],
  },
  domain: {
    training: [
      'What is its top-level domain?',
      'What do web addresses of this country end in?',
      'Which domain does it have on the internet?',
    ],
    evaluation: [
      'What is the internet domain of this country?',
      'Which top-level domain do web addresses here have?',
      'In what do the web addresses of this place end?',
    ],
  },
  diallingCode: {
    training: [
      'What is the dialling code of this country?',
      'What does one dial to phone somebody here?',
      'Which dialling code is used for calls to this place?',
    ],
    evaluation: [
      'Which international dialling code does it have?',
      'What must be dialled first to phone somebody in this country?',
      'Name the telephone dialling code.',
    ],
  },
  area: {
    training: [
      'What is the area of this country?',
      'How many square kilometres does it cover?',
      'How large is it in square kilometres?',
    ],
    evaluation: [
      'How many square kilometres large is this country?',
      'What area does it cover?',
      'Over how many square kilometres does the place with this flag spread?',
    ],
  },
  officialName: {
    training: [
      'What is the official name of this country?',
      'What is this country officially called?',
      'Give the official name of this place.',
    ],
    evaluation: [
      'What is the full and official name?',
      'How is it officially called?',
      'Which official name does the country with this flag have?',
    ],
  },
};

/** Every kind, in the order of their wordings. */
export const QUESTION_KINDS = Object.keys(QUESTION_WORDINGS) as readonly QuestionKind[];
