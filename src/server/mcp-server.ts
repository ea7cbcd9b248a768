import { createRequire } from 'node:module';
import type { Readable, Writable } from 'node:stream';
import {
  type CallToolResult,
  fromJsonSchema,
  type JsonSchemaType,
  McpServer,
} from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { TSchema } from '@sinclair/typebox';
import { loadSharp } from '../encoders/load-sharp.js';
import { GranuleError } from '../errors.js';
import { httpError } from './http-error.js';
import type { KnowledgeBase } from './knowledge-base.js';
import { AnswerResult, SearchResult } from './mcp-schemas.js';
import { RequestScope } from './request-scope.js';
import {
  type AnswerBody,
  type AskRequest,
  askRequest,
  type EntityHitBody,
  type SearchReply,
  type SearchRequest,
  searchRequest,
} from './schemas.js';
import { defaultLimits, type ServerLimits } from './server-options.js';
import { checkUploadedImage, decodeBase64 } from './uploaded-image.js';
import { WorkQueue } from './work-queue.js';

/** Longer side of an entity's image as an assistant gets it. */
const IMAGE_SIDE = 512;
/** What a message holds besides an image in base64. */
const MESSAGE_BYTES = 1 << 20;

/** How an MCP server is reached. */
export interface McpOptions {
  readonly limits?: Partial<ServerLimits>;
  /** Default standard input. */
  readonly input?: Readable;
  /** Default standard output, which then holds nothing but the protocol. */
  readonly output?: Writable;
  /** Told of errors beside the protocol. */
  readonly onError?: (error: Error) => void;
}

/** A running MCP server. */
export interface RunningMcpServer {
  /** Settles when the client has gone. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves the tools `search` and `ask` to an assistant by the Model Context Protocol.
 *
 * @param knowledgeBase - is not closed by the server
 */
export function serveMcp(knowledgeBase: KnowledgeBase, options: McpOptions = {}): RunningMcpServer {
  const limits = { ...defaultLimits(), ...options.limits };
  const tools = new Tools(knowledgeBase, limits);
  const input = options.input ?? process.stdin;
  const maxBufferSize = Math.ceil((limits.bodyBytes * 4) / 3) + MESSAGE_BYTES;
  const transport = new StdioServerTransport(input, options.output ?? process.stdout, { maxBufferSize });
  const handle = serveStdio(() => tools.server(), {
    transport,
    ...(options.onError && { onerror: options.onError }),
  });
  const closed = new Promise<void>((resolve) => input.once('end', resolve).once('close', resolve));
  return { closed, close: () => handle.close() };
}

class Tools {
  readonly #knowledgeBase: KnowledgeBase;
  readonly #limits: ServerLimits;
  readonly #queue: WorkQueue;

  constructor(knowledgeBase: KnowledgeBase, limits: ServerLimits) {
    this.#knowledgeBase = knowledgeBase;
    this.#limits = limits;
    this.#queue = new WorkQueue(limits);
  }

  /** A server for one connection. */
  server(): McpServer {
    const { version } = createRequire(import.meta.url)('granule/package.json') as { version: string };
    const server = new McpServer({ name: 'granule', version }, { capabilities: { tools: {} } });
    const annotations = { readOnlyHint: true, openWorldHint: false };
    server.registerTool(
      'search',
      {
        title: 'Search the knowledge base',
        description:
          'Finds the passages nearest to a text, or the documents or entities with such passages; or the entities that an image shows most likely, or the images most like it. Exact, with probabilities.',
        inputSchema: toolSchema<SearchRequest>(searchRequest(this.#limits)),
        outputSchema: toolSchema<SearchResult>(SearchResult),
        annotations,
      },
      (asked, { mcpReq }) => this.#run(mcpReq.signal, (signal) => this.#search(asked, signal)),
    );
    server.registerTool(
      'ask',
      {
        title: 'Ask the knowledge base',
        description:
          'Answers a question, about a picture or alone, from the knowledge base, with the entity, the passages and the probabilities that led to the answer.',
        inputSchema: toolSchema<AskRequest>(askRequest(this.#limits)),
        outputSchema: toolSchema<AnswerResult>(AnswerResult),
        annotations,
      },
      (asked, { mcpReq }) => this.#run(mcpReq.signal, (signal) => this.#ask(asked, signal)),
    );
    return server;
  }

  async #run(
    cancelled: AbortSignal,
    work: (signal: AbortSignal) => Promise<CallToolResult>,
  ): Promise<CallToolResult> {
    const scope = new RequestScope(this.#limits.deadline, cancelled);
    try {
      scope.ticket = this.#queue.enter(0);
      return await this.#queue.run(scope.signal, () => work(scope.signal));
    } catch (error) {
      const { code, message } = httpError(error).body.error;
      return { isError: true, content: [{ type: 'text', text: `${message} [${code}]` }] };
    } finally {
      scope.end(true);
    }
  }

  async #search(asked: SearchRequest, signal: AbortSignal): Promise<CallToolResult> {
    const { text, level, k = Math.min(10, this.#limits.k), filter } = asked;
    const image = await this.#image(asked.image);
    if ((text === undefined) === (image === undefined)) {
      throw new GranuleError('REQUEST_INVALID', 'a search is for either a text or an image');
    }
    const reply = await this.#knowledgeBase.search(
      {
        k,
        ...(level !== undefined && { level }),
        ...(text !== undefined && { text }),
        ...(image !== undefined && { image }),
        ...(filter !== undefined && { filter }),
      },
      { signal },
    );
    return structured(searchResult(reply));
  }

  async #ask({ image: base64, ...asked }: AskRequest, signal: AbortSignal): Promise<CallToolResult> {
    const image = await this.#image(base64);
    const answered = await this.#knowledgeBase.ask(
      { ...asked, ...(image !== undefined && { image }) },
      { signal },
    );
    const result = structured(answerResult(answered));
    const picture = await this.#entityImage(answered.entity?.images[0]);
    if (picture !== undefined) result.content.push({ type: 'image', mimeType: 'image/png', data: picture });
    return result;
  }

  async #image(base64: string | undefined): Promise<Uint8Array | undefined> {
    if (base64 === undefined) return undefined;
    if (base64.length > (this.#limits.bodyBytes * 4) / 3) {
      throw new GranuleError('PAYLOAD_TOO_LARGE', 'the image is too large');
    }
    const image = decodeBase64(base64);
    await checkUploadedImage(image, this.#limits.pixels);
    return image;
  }

  /** The entity's image as a small PNG, in base64: assistants do not read every format that is stored. */
  async #entityImage(id: string | undefined): Promise<string | undefined> {
    const image = id === undefined ? undefined : await this.#knowledgeBase.image(id);
    if (image === undefined) return undefined;
    const sharp = await loadSharp();
    const size = { width: IMAGE_SIDE, height: IMAGE_SIDE, fit: 'inside', withoutEnlargement: true } as const;
    const png = await sharp(await image.bytes())
      .resize(size)
      .png()
      .toBuffer();
    return png.toString('base64');
  }
}

function answerResult(answered: AnswerBody): AnswerResult {
  const { question, answer, entity, passage, span, probabilities, votes } = answered;
  return {
    question,
    answer,
    entity,
    passage,
    span,
    probabilities,
    votes,
    entities: answered.entities.map(withoutPatches),
    passages: answered.passages.map(({ passage: found, score, probability }) => ({
      passage: found,
      score,
      probability,
    })),
  };
}

function searchResult(reply: SearchReply): SearchResult {
  switch (reply.level) {
    case 'passage':
      return { passages: reply.hits };
    case 'document':
      return { documents: reply.hits };
    case 'entity':
      return { entities: reply.hits.map(withoutPatches) };
    case 'image':
      return { images: reply.hits.map(({ image, ...hit }) => ({ image, ...withoutPatches(hit) })) };
  }
}

function withoutPatches({ entity, score, probability, passage }: EntityHitBody) {
  return { entity, score, probability, ...(passage !== undefined && { passage }) };
}

/** Structured content, and the same as text for clients that know no other. */
function structured(content: SearchResult | AnswerResult): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(content) }], structuredContent: { ...content } };
}

/** A schema of HTTP's as the protocol's library takes it, which also checks arguments and results against it. */
function toolSchema<T>(schema: TSchema) {
  return fromJsonSchema<T>(schema as JsonSchemaType);
}
