import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GranuleError } from '../../errors.js';
import type { KnowledgeBaseWriter } from '../knowledge-base.js';
import { entityTag } from '../page-files.js';
import { readBody } from '../request-body.js';
import type { RouteContext } from '../route-context.js';
import {
  DocumentBody,
  DocumentRequest,
  DocumentStored,
  EntityBody,
  IdParameter,
  PassageBody,
  StatusBody,
} from '../schemas.js';
import { errorReplies } from './route-schemas.js';

/** An image may be SVG: opened by itself, nothing of it may run or load anything. */
const IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/** What is stored, by id; and the changes of it. */
export function addRecordRoutes(app: FastifyInstance, context: RouteContext): void {
  const { knowledgeBase, queue, version } = context;
  const read = { access: 'read' } as const;

  app.get(
    '/v1/status',
    {
      config: read,
      schema: {
        operationId: 'status',
        summary: 'What the knowledge base holds',
        response: { 200: StatusBody, ...errorReplies },
      },
    },
    async () => ({
      version,
      writable: knowledgeBase.writer !== undefined,
      ...(await knowledgeBase.status()),
    }),
  );

  const records = [
    { kind: 'entity', path: '/v1/entities/:id', reply: EntityBody },
    { kind: 'document', path: '/v1/documents/:id', reply: DocumentBody },
    { kind: 'passage', path: '/v1/passages/:id', reply: PassageBody },
  ] as const;
  for (const { kind, path, reply } of records) {
    app.get(
      path,
      {
        config: read,
        schema: {
          operationId: kind,
          summary: `One ${kind}`,
          params: IdParameter,
          response: { 200: reply, ...errorReplies },
        },
      },
      async (request) => found(kind, await knowledgeBase[kind](idOf(request))),
    );
  }

  app.get(
    '/v1/images/:id',
    {
      config: read,
      schema: {
        operationId: 'image',
        summary: 'One image of an entity, as it was stored',
        params: IdParameter,
        response: {
          200: { description: 'The image.', content: { 'image/*': { schema: {} } } },
          ...errorReplies,
        },
      },
    },
    async (request, reply) => {
      const image = found('image', await knowledgeBase.image(idOf(request)));
      reply.header('content-security-policy', IMAGE_POLICY);
      return sendTagged(request, reply, image.contentType, await image.bytes());
    },
  );

  const write = { access: 'write', work: true } as const;
  app.put(
    '/v1/documents/:id',
    {
      config: write,
      schema: {
        operationId: 'putDocument',
        summary: 'Stores a document, in place of the one that has this id',
        params: IdParameter,
        body: { content: { 'application/json': { schema: DocumentRequest } } },
        response: { 200: DocumentStored, 201: DocumentStored, ...errorReplies },
      },
      preValidation: (request) => readBody(request),
    },
    async (request, reply) => {
      const { signal } = request.scope;
      const stored = await queue.run(signal, () =>
        writer().putDocument(idOf(request), request.body as DocumentRequest, { signal }),
      );
      return reply.code(stored.created ? 201 : 200).send(stored);
    },
  );
  app.delete(
    '/v1/documents/:id',
    {
      config: write,
      schema: {
        operationId: 'deleteDocument',
        summary: 'Deletes a document and its passages',
        params: IdParameter,
        response: { 204: { description: 'It is gone.', type: 'null' }, ...errorReplies },
      },
    },
    async (request, reply) => {
      const { signal } = request.scope;
      const deleted = await queue.run(signal, () => writer().deleteDocument(idOf(request), { signal }));
      found('document', deleted || undefined);
      return reply.code(204).send();
    },
  );

  function writer(): KnowledgeBaseWriter {
    if (knowledgeBase.writer !== undefined) return knowledgeBase.writer;
    throw new GranuleError('READ_ONLY', 'this knowledge base is open for reading only');
  }
}

/** Sends bytes, or nothing where the client has them already. */
export function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  bytes: Uint8Array,
): FastifyReply {
  const tag = entityTag(bytes);
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' });
  if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(tag)) return reply.code(304).send();
  return reply.type(contentType).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function idOf({ params }: FastifyRequest): string {
  return (params as { id: string }).id;
}

function found<T>(kind: string, record: T | undefined): T {
  if (record === undefined) throw new GranuleError('NOT_FOUND', `there is no ${kind} with this id`);
  return record;
}
