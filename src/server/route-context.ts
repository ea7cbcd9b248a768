// Both add to the types of Fastify.
import type {} from '@fastify/multipart';
import type {} from '@fastify/swagger';
import type { KnowledgeBase } from './knowledge-base.js';
import type { ServerMetrics } from './metrics.js';
import type { RequestScope } from './request-scope.js';
import type { SettledOptions } from './server-options.js';
import type { Access } from './tokens.js';
import type { WorkQueue } from './work-queue.js';

/** What the routes work with. */
export interface RouteContext {
  readonly knowledgeBase: KnowledgeBase;
  readonly options: SettledOptions;
  readonly queue: WorkQueue;
  readonly metrics: ServerMetrics;
  readonly version: string;
  /** Whether the server was told to stop. */
  draining(): boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    scope: RequestScope;
  }
  interface FastifyContextConfig {
    /** What a token must grant; absent where no token is needed. */
    access?: Access;
    /** Whether the request takes a place in the queue. */
    work?: boolean;
  }
}
