/**
 * What goes over HTTP: one source that validates requests, types the server and its client, describes the tools of the
 * MCP server, and generates the OpenAPI document.
 *
 * @module
 */
import { type Static, Type } from '@sinclair/typebox';
import { ERROR_CODES } from '../errors.js';

/** The limits that show in schemas. */
export interface SchemaLimits {
  /** UTF-16 units of a question or of a text that is searched for. */
  readonly questionLength: number;
  /** Largest k, and largest number of entities or passages per question. */
  readonly k: number;
}

/** UTF-16 units of an id that is given, as the corpus allows; passages of documents add a few. */
const ID_LENGTH = 1_000;
const PASSAGE_ID_LENGTH = ID_LENGTH + 20;

const NOT_BLANK = '\\S';

const Id = Type.String();
const GivenId = Type.String({ minLength: 1, maxLength: ID_LENGTH });
const Probability = Type.Number({ minimum: 0, maximum: 1 });
const Milliseconds = Type.Record(Type.String(), Type.Number(), { description: 'Milliseconds by stage.' });
const Metadata = Type.Record(Type.String(), Type.Unknown());
const Span = Type.Array(Type.Integer(), {
  minItems: 2,
  maxItems: 2,
  description: 'Start and end in the text, in UTF-16 units.',
});
const Quad = Type.Array(Type.Number(), {
  minItems: 8,
  maxItems: 8,
  description:
    'x and y of the corners top left, top right, bottom right and bottom left of the upright object, as fractions of width and height.',
});
const Base64Image = Type.String({
  contentEncoding: 'base64',
  description: 'JPEG, PNG, WebP, GIF, TIFF or AVIF, in base64.',
});
const Filter = Type.Record(Type.String(), Type.Unknown(), {
  description: 'A filter of metadata; only what passes it is searched.',
});

/** The id in a path. */
export const IdParameter = Type.Object({ id: Type.String({ minLength: 1, maxLength: PASSAGE_ID_LENGTH }) });

export const EntityBody = Type.Object(
  {
    id: Id,
    title: Type.String(),
    metadata: Type.Optional(Metadata),
    images: Type.Array(Id, { description: 'Ids of its images; GET /v1/images/{id} gives one.' }),
  },
  { description: 'A thing that questions are about.' },
);

export const PassageBody = Type.Object(
  {
    id: Id,
    entity: Id,
    text: Type.String(),
    document: Type.Optional(Id),
    start: Type.Optional(
      Type.Integer({ description: "Where it begins in its document's text, in UTF-16 units." }),
    ),
    end: Type.Optional(Type.Integer()),
  },
  { description: 'A piece of text about one entity.' },
);

export const DocumentBody = Type.Object(
  {
    id: Id,
    entity: Id,
    title: Type.Optional(Type.String()),
    text: Type.String(),
    metadata: Type.Optional(Metadata),
    passages: Type.Array(PassageBody),
  },
  { description: 'A text about one entity, with the passages it was split into.' },
);

export const DocumentRequest = Type.Object(
  {
    entity: Type.Object(
      { id: GivenId, title: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })) },
      {
        additionalProperties: false,
        description: 'What it is about; the title is needed where the entity is new.',
      },
    ),
    title: Type.Optional(Type.String({ minLength: 1, maxLength: 10_000 })),
    text: Type.String({ minLength: 1 }),
    metadata: Type.Optional(Metadata),
  },
  { additionalProperties: false },
);

export const DocumentStored = Type.Object({ id: Id, created: Type.Boolean(), version: Type.Integer() });

const PatchMatchBody = Type.Object(
  { query: Quad, entity: Quad, similarity: Type.Number() },
  { description: "A patch of the picture, and the patch of the entity's image that matched it." },
);

const hitFields = { score: Type.Number(), probability: Probability };

const pictureFields = {
  region: Type.Optional(Quad),
  matches: Type.Optional(Type.Array(PatchMatchBody)),
};

export const EntityHitBody = Type.Object({
  entity: EntityBody,
  ...hitFields,
  passage: Type.Optional(PassageBody),
  image: Type.Optional(Type.String({ description: 'Id of its image that was most like the picture.' })),
  ...pictureFields,
});

export const ImageHitBody = Type.Object({ image: Id, entity: EntityBody, ...hitFields, ...pictureFields });

export const PassageHitBody = Type.Object({ passage: PassageBody, ...hitFields });

export const DocumentHitBody = Type.Object({
  document: Type.Object(
    { id: Id, entity: Id, title: Type.Optional(Type.String()), metadata: Type.Optional(Metadata) },
    { description: 'A document without its text; GET /v1/documents/{id} gives all of it.' },
  ),
  passage: PassageBody,
  ...hitFields,
});

/** The body of POST /v1/search. */
export function searchRequest({ questionLength, k }: SchemaLimits) {
  return Type.Object(
    {
      text: Type.Optional(Type.String({ pattern: NOT_BLANK, maxLength: questionLength })),
      image: Type.Optional(Base64Image),
      level: Type.Optional(
        Type.Union(
          [Type.Literal('passage'), Type.Literal('document'), Type.Literal('entity'), Type.Literal('image')],
          {
            description:
              'What to search for: for a text passages (the default), documents or entities, which score as their best passage and come with it; for an image entities (the default) or images.',
          },
        ),
      ),
      k: Type.Optional(Type.Integer({ minimum: 1, maximum: k, default: Math.min(10, k) })),
      filter: Type.Optional(Filter),
    },
    { additionalProperties: false, description: 'A text or an image.' },
  );
}

/** The body of POST /v1/ask. */
export function askRequest({ questionLength, k }: SchemaLimits) {
  return Type.Object(
    {
      question: Type.String({ pattern: NOT_BLANK, maxLength: questionLength }),
      image: Type.Optional(Base64Image),
      entity: Type.Optional(
        Type.String({ ...GivenId, description: 'What the question is about, where it is known.' }),
      ),
      filter: Type.Optional(Filter),
      entityCount: Type.Optional(Type.Integer({ minimum: 1, maximum: k, description: 'Default 3.' })),
      passageCount: Type.Optional(Type.Integer({ minimum: 1, maximum: k, description: 'Default 5.' })),
      select: Type.Optional(Type.Union([Type.Literal('joint'), Type.Literal('marginal')])),
    },
    { additionalProperties: false },
  );
}

/** The reply of POST /v1/search. */
export const SearchReply = Type.Union([
  Type.Object({ level: Type.Literal('passage'), hits: Type.Array(PassageHitBody), timings: Milliseconds }),
  Type.Object({ level: Type.Literal('document'), hits: Type.Array(DocumentHitBody), timings: Milliseconds }),
  Type.Object({ level: Type.Literal('entity'), hits: Type.Array(EntityHitBody), timings: Milliseconds }),
  Type.Object({ level: Type.Literal('image'), hits: Type.Array(ImageHitBody), timings: Milliseconds }),
]);

const Probabilities = Type.Object(
  { entity: Probability, passage: Probability, answer: Probability, joint: Probability },
  { description: 'p(e|q), p(z|q,e), p(a|q,z) and their product.' },
);

const OptionalText = Type.Union([Type.String(), Type.Null()]);

const EntitiesStep = Type.Object({
  step: Type.Literal('entities'),
  source: Type.Union([Type.Literal('picture'), Type.Literal('given'), Type.Literal('none')]),
  found: Type.Array(Type.Object({ id: Id, title: Type.String(), probability: Probability })),
});
const ExpansionStep = Type.Object({ step: Type.Literal('expansion'), queries: Type.Array(Type.String()) });
const PassagesStep = Type.Object({
  step: Type.Literal('passages'),
  found: Type.Array(Type.Object({ id: Id, probability: Probability })),
});
const AnswersStep = Type.Object({
  step: Type.Literal('answers'),
  generator: Type.String(),
  found: Type.Array(Type.Object({ passage: Id, text: Type.String(), probability: Probability })),
});
const SelectionStep = Type.Object({
  step: Type.Literal('selection'),
  by: Type.Union([Type.Literal('joint'), Type.Literal('marginal')]),
  answer: OptionalText,
  entity: Type.Union([Id, Type.Null()]),
  passage: Type.Union([Id, Type.Null()]),
  probabilities: Type.Union([Probabilities, Type.Null()]),
  otherwise: OptionalText,
});

/** One stage of an answer; also the data of a server-sent event, whose name is `step`. */
export const StageBody = Type.Union([EntitiesStep, ExpansionStep, PassagesStep, AnswersStep, SelectionStep]);

/** The reply of POST /v1/ask: the answer with everything that led to it. */
export const AnswerBody = Type.Object({
  question: Type.String(),
  answer: OptionalText,
  select: Type.Union([Type.Literal('joint'), Type.Literal('marginal')]),
  entity: Type.Union([EntityBody, Type.Null()]),
  passage: Type.Union([PassageBody, Type.Null()]),
  span: Type.Union([Span, Type.Null()]),
  probabilities: Type.Union([Probabilities, Type.Null()]),
  votes: Type.Array(
    Type.Object(
      { text: Type.String(), probability: Probability, paths: Type.Integer() },
      {
        description: 'What all paths to one answer weigh together.',
      },
    ),
  ),
  entities: Type.Array(EntityHitBody),
  passages: Type.Array(
    Type.Object({
      passage: PassageBody,
      entity: Type.Union([Type.Integer({ description: 'Its place in entities.' }), Type.Null()]),
      score: Type.Number(),
      probability: Probability,
      answers: Type.Array(
        Type.Object({ text: Type.String(), probability: Probability, span: Type.Union([Span, Type.Null()]) }),
      ),
    }),
  ),
  timings: Milliseconds,
  trace: Type.Array(StageBody),
});

/** The reply of GET /v1/status. */
export const StatusBody = Type.Object({
  version: Type.String({ description: 'Version of Granule.' }),
  corpusVersion: Type.Integer({ description: 'Grows with each change of the knowledge base.' }),
  writable: Type.Boolean(),
  counts: Type.Object({
    entities: Type.Integer(),
    documents: Type.Integer(),
    passages: Type.Integer(),
    images: Type.Integer(),
  }),
  encoders: Type.Array(
    Type.Object({
      role: Type.Union([Type.Literal('text'), Type.Literal('image')]),
      name: Type.String(),
      version: Type.String(),
      dimension: Type.Integer(),
    }),
  ),
});

/** The reply of GET /healthz and /readyz. */
export const HealthBody = Type.Object({ status: Type.String() });

/** Every error over HTTP. */
export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String({ description: `One of ${ERROR_CODES.join(', ')}.` }),
    message: Type.String(),
  }),
});

/** An entity: an id, a title, metadata, and the ids of its images. */
export type EntityBody = Static<typeof EntityBody>;
/** A passage of an entity; with its document and its place in it, where it has one. */
export type PassageBody = Static<typeof PassageBody>;
/** A document, with the passages it was split into. */
export type DocumentBody = Static<typeof DocumentBody>;
/** A document that is to be stored. */
export type DocumentRequest = Static<typeof DocumentRequest>;
/** What became of a document that was to be stored, and the version of the knowledge base since. */
export type DocumentStored = Static<typeof DocumentStored>;
/** An entity that was found: with its best passage where a text, and with the patches that matched where a picture was searched for. */
export type EntityHitBody = Static<typeof EntityHitBody>;
/** An image that was found, with its entity and the patches that matched. */
export type ImageHitBody = Static<typeof ImageHitBody>;
/** A passage that was found. */
export type PassageHitBody = Static<typeof PassageHitBody>;
/** A document that was found, with its best passage, whose score is its own. */
export type DocumentHitBody = Static<typeof DocumentHitBody>;
/** The body of POST /v1/search. */
export type SearchRequest = Static<ReturnType<typeof searchRequest>>;
/** The hits of a search, best first, and the milliseconds of each stage. */
export type SearchReply = Static<typeof SearchReply>;
/** The body of POST /v1/ask. */
export type AskRequest = Static<ReturnType<typeof askRequest>>;
/** One stage of an answer, with what it found. */
export type StageBody = Static<typeof StageBody>;
/** An answer with everything that led to it. */
export type AnswerBody = Static<typeof AnswerBody>;
/** What a server serves: versions, counts, encoders. */
export type StatusBody = Static<typeof StatusBody>;
/** An error as it goes over HTTP. */
export type ErrorBody = Static<typeof ErrorBody>;
