import { type Static, Type } from '@sinclair/typebox';
import { AnswerBody, DocumentHitBody, EntityHitBody, ImageHitBody, PassageHitBody } from './schemas.js';

/** Patches are for eyes; an assistant gets the entity without them. */
const Entity = Type.Omit(EntityHitBody, ['image', 'matches', 'region']);

/** What the tool `search` gives: hits of one level. */
export const SearchResult = Type.Object({
  passages: Type.Optional(Type.Array(PassageHitBody)),
  documents: Type.Optional(Type.Array(DocumentHitBody)),
  entities: Type.Optional(Type.Array(Entity)),
  images: Type.Optional(Type.Array(Type.Omit(ImageHitBody, ['matches', 'region']))),
});

/** What the tool `ask` gives: the answer, and what speaks for it. */
export const AnswerResult = Type.Composite([
  Type.Pick(AnswerBody, ['question', 'answer', 'entity', 'passage', 'span', 'probabilities', 'votes']),
  Type.Object({ entities: Type.Array(Entity), passages: Type.Array(PassageHitBody) }),
]);

export type SearchResult = Static<typeof SearchResult>;
export type AnswerResult = Static<typeof AnswerResult>;
