import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GranuleError } from '../../errors.js';
import { EventStream } from '../event-stream.js';
import { readBody } from '../request-body.js';
import type { RouteContext } from '../route-context.js';
import {
  AnswerBody,
  type AskRequest,
  askRequest,
  SearchReply,
  type SearchRequest,
  type StageBody,
  searchRequest,
} from '../schemas.js';
import { checkUploadedImage, decodeBase64 } from '../uploaded-image.js';
import { errorReplies, jsonOrForm } from './route-schemas.js';

/** POST /v1/ask and POST /v1/search. */
export function addQuestionRoutes(app: FastifyInstance, context: RouteContext): void {
  const { knowledgeBase, options, queue, metrics, report } = context;
  const { limits } = options;
  const config = { access: 'read', work: true } as const;

  const ask = askRequest(limits);
  app.post(
    '/v1/ask',
    {
      config,
      schema: {
        operationId: 'ask',
        summary: 'Answers a question, about a picture or alone',
        description:
          'With `Accept: text/event-stream` each stage is sent as an event as soon as it is done (entities, expansion, passages, answers, selection), then the event `answer`, or `error`.',
        body: jsonOrForm(ask),
        response: {
          200: {
            description: 'The answer, or the events that lead to it.',
            content: {
              'application/json': { schema: AnswerBody },
              'text/event-stream': { schema: { type: 'string' } },
            },
          },
          ...errorReplies,
        },
      },
      preValidation: (request) => readBody(request, ask),
    },
    async (request, reply) => {
      const { image: base64, ...asked } = request.body as AskRequest;
      const image = uploaded(request, base64);
      const { signal } = request.scope;
      const work = (onStage?: (stage: StageBody) => void) =>
        queue.run(signal, async () => {
          if (image !== undefined) await checkUploadedImage(image, limits.pixels);
          const answer = await knowledgeBase.ask(
            { ...asked, ...(image !== undefined && { image }) },
            { signal, ...(onStage && { onStage }) },
          );
          metrics.stages(answer.timings);
          return answer;
        });
      if (!request.headers.accept?.includes('text/event-stream')) return work();
      const events = new EventStream(limits.heartbeat);
      work((stage) => events.send(stage.step, stage))
        .then(
          (answer) => events.send('answer', answer),
          (error) => events.send('error', report(error, request).body),
        )
        .finally(() => events.end());
      return reply.type('text/event-stream; charset=utf-8').send(events.readable);
    },
  );

  const search = searchRequest(limits);
  app.post(
    '/v1/search',
    {
      config,
      schema: {
        operationId: 'search',
        summary:
          'Searches for passages, documents or entities by a text, or for entities or images by an image',
        body: jsonOrForm(search),
        response: { 200: SearchReply, ...errorReplies },
      },
      preValidation: (request) => readBody(request, search),
    },
    async (request) => {
      const {
        image: base64,
        text,
        k = Math.min(10, limits.k),
        level,
        filter,
      } = request.body as SearchRequest;
      const image = uploaded(request, base64);
      if ((text === undefined) === (image === undefined)) {
        throw new GranuleError('REQUEST_INVALID', 'a search is for either a text or an image');
      }
      const { signal } = request.scope;
      return queue.run(signal, async () => {
        if (image !== undefined) await checkUploadedImage(image, limits.pixels);
        const reply = await knowledgeBase.search(
          {
            k,
            ...(level !== undefined && { level }),
            ...(text !== undefined && { text }),
            ...(image !== undefined && { image }),
            ...(filter !== undefined && { filter }),
          },
          { signal },
        );
        metrics.stages(reply.timings);
        return reply;
      });
    },
  );
}

/** The image of a request, from its form or its JSON. */
function uploaded({ scope }: FastifyRequest, base64: string | undefined): Uint8Array | undefined {
  if (base64 === undefined) return scope.image;
  if (scope.image !== undefined) throw new GranuleError('REQUEST_INVALID', "'image' is given twice");
  return decodeBase64(base64);
}
