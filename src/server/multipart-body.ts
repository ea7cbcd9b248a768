import type { TObject, TSchema } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { GranuleError } from '../errors.js';
import type {} from './route-context.js';

/**
 * Reads a form as the JSON body that it stands for: a field of text is a string where the schema wants one and JSON
 * elsewhere; the file `image` goes to the request's scope.
 *
 * @throws GranuleError `REQUEST_INVALID`; what the parser throws for forms that it cannot read
 */
export async function readMultipart(request: FastifyRequest, schema: TObject): Promise<void> {
  if (!request.isMultipart()) return;
  const body: Record<string, unknown> = Object.create(null);
  for await (const part of request.parts()) {
    const { fieldname: name } = part;
    if (part.type === 'file') {
      // Every file is read to its end, or the form would never end.
      const bytes = await part.toBuffer();
      if (name !== 'image') throw new GranuleError('REQUEST_INVALID', "the only file of a form is 'image'");
      if (request.scope.image !== undefined)
        throw new GranuleError('REQUEST_INVALID', "'image' is given twice");
      request.scope.image = bytes;
      continue;
    }
    const text = part.value;
    if (typeof text !== 'string') throw new GranuleError('REQUEST_INVALID', 'a field of the form is no text');
    if (part.valueTruncated || part.fieldnameTruncated) {
      throw new GranuleError('PAYLOAD_TOO_LARGE', 'a field of the form is too long');
    }
    if (name in body) throw new GranuleError('REQUEST_INVALID', 'a field of the form is given twice');
    body[name] = fieldValue(text, schema.properties[name]);
  }
  // A plain object, so that the validator sees nothing unusual; its keys are checked by the schema.
  request.body = { ...body };
}

function fieldValue(text: string, schema: TSchema | undefined): unknown {
  const alternatives: readonly TSchema[] = schema?.['anyOf'] ?? [schema ?? {}];
  // What the schema does not know stays as it is, and is refused by it.
  if (schema === undefined || alternatives.some(({ type }) => type === 'string')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new GranuleError('REQUEST_INVALID', 'a field of the form that is no text must be JSON');
  }
}
