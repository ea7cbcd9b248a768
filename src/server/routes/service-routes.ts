import type { FastifyInstance } from 'fastify';
import { GranuleError } from '../../errors.js';
import type { PageFile } from '../page-files.js';
import type { RouteContext } from '../route-context.js';
import { HealthBody } from '../schemas.js';
import { sendTagged } from './record-routes.js';
import { errorReplies } from './route-schemas.js';

/** Health, metrics, the OpenAPI document and the web page. */
export function addServiceRoutes(
  app: FastifyInstance,
  { metrics, draining }: RouteContext,
  page: readonly PageFile[],
): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'healthz',
        summary: 'Whether the process is alive',
        response: { 200: HealthBody, ...errorReplies },
      },
    },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readyz',
        summary: 'Whether requests should be sent here',
        response: { 200: HealthBody, ...errorReplies },
      },
    },
    async () => {
      if (draining()) throw new GranuleError('SHUTTING_DOWN', 'the server is stopping');
      return { status: 'ready' };
    },
  );
  app.get(
    '/metrics',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'metrics',
        summary: 'Measurements, in the text format of Prometheus',
        response: {
          200: { description: 'Measurements.', content: { 'text/plain': { schema: { type: 'string' } } } },
          ...errorReplies,
        },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
  app.get('/openapi.json', { schema: { hide: true } }, async (_, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );
  for (const { path, contentType, bytes } of page) {
    app.get(path, { schema: { hide: true } }, async (request, reply) =>
      sendTagged(request, reply, contentType, bytes),
    );
  }
}
