import type { TObject, TSchema } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { GranuleError } from '../errors.js';
import type {} from './route-context.js';

/**
 * Sees to it that there is a body for the schema to check, and reads a form as the JSON body that it stands for: a field of
 * text is a string where the schema wants one and JSON elsewhere; the file `image` goes to the request's scope.
 *
 * @param form - the schema of the body as a form; absent where only JSON is taken
 * @throws GranuleError `REQUEST_INVALID`, `UNSUPPORTED_MEDIA_TYPE`; what the parser throws for forms beyond its limits
 */
export async function readBody(request: FastifyRequest, form?: TObject): Promise<void> {
  if (request.isMultipart()) {
    if (form === undefined)
      throw new GranuleError('UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json');
    request.body = await readForm(request, form);
  }
  if (request.body === undefined || request.body === null) {
    throw new GranuleError('REQUEST_INVALID', 'the request has no body');
  }
}

async function readForm(request: FastifyRequest, schema: TObject): Promise<object> {
  const body: Record<string, unknown> = {};
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file') {
        // Every file is read to its end, or the form would never end.
        const bytes = await part.toBuffer();
        if (part.fieldname !== 'image') throw invalid("the only file of a form is 'image'");
        if (request.scope.image !== undefined) throw invalid("'image' is given twice");
        request.scope.image = bytes;
        continue;
      }
      const { fieldname: name, value, valueTruncated, fieldnameTruncated } = part;
      if (typeof value !== 'string') throw invalid('a field of the form is no text');
      if (valueTruncated || fieldnameTruncated) {
        throw new GranuleError('PAYLOAD_TOO_LARGE', 'a field of the form is too long');
      }
      if (!Object.hasOwn(schema.properties, name) || name === 'image')
        throw invalid('a field of the form is unknown');
      if (Object.hasOwn(body, name)) throw invalid('a field of the form is given twice');
      body[name] = fieldValue(value, schema.properties[name]!);
    }
  } catch (error) {
    // Limits of the parser have a status of their own; whatever else it throws is about the form.
    if (error instanceof GranuleError || (error as { statusCode?: number }).statusCode !== undefined)
      throw error;
    throw invalid(`the form cannot be read: ${(error as Error).message}`);
  }
  return body;
}

function fieldValue(text: string, schema: TSchema): unknown {
  const alternatives: readonly TSchema[] = schema['anyOf'] ?? [schema];
  if (alternatives.some(({ type }) => type === 'string')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('a field of the form that is no text must be JSON');
  }
}

function invalid(message: string): GranuleError {
  return new GranuleError('REQUEST_INVALID', message);
}
