import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import { ErrorBody } from '../schemas.js';

/** Replies that every route may give. */
export const errorReplies: Readonly<Record<string, TSchema>> = {
  '4xx': Type.Object(ErrorBody.properties, {
    description: 'The request is at fault; `error.code` says how.',
  }),
  '5xx': Type.Object(ErrorBody.properties, {
    description: 'The server is at fault, is stopping, or took longer than its deadline.',
  }),
};

/** A body that comes as JSON, or as a form whose file is the image. */
export function jsonOrForm<T extends TObject>(schema: T) {
  const image = Type.Optional(Type.String({ contentMediaType: 'application/octet-stream' }));
  const form = { ...schema, properties: { ...schema.properties, image } };
  return { content: { 'application/json': { schema }, 'multipart/form-data': { schema: form } } };
}
