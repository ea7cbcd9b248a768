import { type ErrorCode, GranuleError } from '../errors.js';
import type {
  AnswerBody,
  AskRequest,
  DocumentBody,
  DocumentRequest,
  DocumentStored,
  EntityBody,
  ErrorBody,
  PassageBody,
  SearchReply,
  SearchRequest,
  StageBody,
  StatusBody,
} from '../server/schemas.js';
import { readServerSentEvents } from './event-stream-reader.js';

/** Options of {@link GranuleClient}. */
export interface GranuleClientOptions {
  /** Address of the server, as `http://127.0.0.1:7890`. */
  readonly url: string | URL;
  /** Token, where the server has a token file. */
  readonly token?: string;
  /** Default the runtime's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call, and with it the work in the server. */
  readonly signal?: AbortSignal;
}

/** A question, with the bytes of a picture or without. */
export type Question = Omit<AskRequest, 'image'> & { readonly image?: Uint8Array | Blob };

/** A search for a text, or for the bytes of an image. */
export type SearchQuery = Omit<SearchRequest, 'image'> & { readonly image?: Uint8Array | Blob };

/** What comes while a question is answered: each stage as soon as it is done, then the answer. */
export type AskEvent = StageBody | { readonly step: 'answer'; readonly answer: AnswerBody };

/**
 * A client of `granule serve`.
 *
 * Errors are `GranuleError`s with the server's code, and `details.status`, the status of HTTP; `details.retryAfter` are the
 * seconds after which to try again, where the server said so. `SERVER_UNREACHABLE` means that no reply came, and
 * `RESPONSE_INVALID` that one came that is not Granule's.
 *
 * @example
 * ```ts
 * const client = new GranuleClient({ url: 'http://127.0.0.1:7890' });
 * const { answer } = await client.ask({ question: 'What is the capital of this country?', image });
 * ```
 */
export class GranuleClient {
  readonly #url: URL;
  readonly #token: string | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor({ url, token, fetch = globalThis.fetch }: GranuleClientOptions) {
    this.#url = new URL(url);
    // A server may lie below a path of a proxy.
    if (!this.#url.pathname.endsWith('/')) this.#url.pathname += '/';
    this.#token = token;
    // A browser's fetch insists on being called as its own.
    this.#fetch = (input, init) => fetch(input, init);
  }

  /**
   * Answers a question.
   *
   * @throws GranuleError as the class says; `ABORTED`
   */
  async ask(question: Question, options: CallOptions = {}): Promise<AnswerBody> {
    return this.#json('POST', 'v1/ask', options, question);
  }

  /**
   * Answers a question and tells each stage as soon as it is done; the last event holds the answer. Who stops iterating
   * stops the server's work.
   *
   * @throws GranuleError as the class says; `ABORTED`
   */
  async *askStages(question: Question, options: CallOptions = {}): AsyncGenerator<AskEvent, void> {
    const reply = await this.#request('POST', 'v1/ask', options, question, 'text/event-stream');
    if (reply.body === null) throw invalid(reply, 'it has no body');
    let ended = false;
    try {
      for await (const { event, data } of readServerSentEvents(reply.body)) {
        const value = parseJson(reply, data);
        if (event === 'error') throw reported(reply, value);
        ended = event === 'answer';
        yield ended ? { step: 'answer', answer: value as AnswerBody } : (value as StageBody);
      }
    } catch (error) {
      throw failure(error, options.signal);
    }
    if (!ended) throw new GranuleError('SERVER_UNREACHABLE', 'the connection broke off before the answer');
  }

  /**
   * Searches for passages, documents or entities by a text, or for entities or images by an image; `level` says which.
   *
   * @throws GranuleError as the class says; `ABORTED`
   */
  async search(query: SearchQuery, options: CallOptions = {}): Promise<SearchReply> {
    return this.#json('POST', 'v1/search', options, query);
  }

  /** What the knowledge base holds. */
  async status(options: CallOptions = {}): Promise<StatusBody> {
    return this.#json('GET', 'v1/status', options);
  }

  /** The entity with this id; undefined where there is none. */
  async entity(id: string, options: CallOptions = {}): Promise<EntityBody | undefined> {
    return this.#record('entities', id, options);
  }

  /** The document with this id, with its passages; undefined where there is none. */
  async document(id: string, options: CallOptions = {}): Promise<DocumentBody | undefined> {
    return this.#record('documents', id, options);
  }

  /** The passage with this id; undefined where there is none. */
  async passage(id: string, options: CallOptions = {}): Promise<PassageBody | undefined> {
    return this.#record('passages', id, options);
  }

  /** The image with this id, of the type that it was stored with; undefined where there is none. */
  async image(id: string, options: CallOptions = {}): Promise<Blob | undefined> {
    const path = `v1/images/${encodeURIComponent(id)}`;
    const reply = await unlessNotFound(this.#request('GET', path, options, undefined, 'image/*'));
    if (reply === undefined) return undefined;
    return reply.blob().catch((error) => {
      throw failure(error, options.signal);
    });
  }

  /** Stores a document, in place of the one that has this id. Needs the token for writing. */
  async putDocument(
    id: string,
    document: DocumentRequest,
    options: CallOptions = {},
  ): Promise<DocumentStored> {
    return this.#json('PUT', `v1/documents/${encodeURIComponent(id)}`, options, document);
  }

  /** Deletes a document and its passages; false where there is none. Needs the token for writing. */
  async deleteDocument(id: string, options: CallOptions = {}): Promise<boolean> {
    const path = `v1/documents/${encodeURIComponent(id)}`;
    return (await unlessNotFound(this.#request('DELETE', path, options))) !== undefined;
  }

  async #record<T>(kind: string, id: string, options: CallOptions): Promise<T | undefined> {
    return unlessNotFound(this.#json<T>('GET', `v1/${kind}/${encodeURIComponent(id)}`, options));
  }

  async #json<T>(method: string, path: string, options: CallOptions, body?: object): Promise<T> {
    const reply = await this.#request(method, path, options, body);
    return parseJson(reply, await text(reply, options.signal)) as T;
  }

  async #request(
    method: string,
    path: string,
    { signal }: CallOptions,
    body?: object,
    accept = 'application/json',
  ): Promise<Response> {
    const headers: Record<string, string> = { accept };
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    const encoded = body === undefined ? undefined : encode(body);
    if (typeof encoded === 'string') headers['content-type'] = 'application/json';
    let reply: Response;
    try {
      reply = await this.#fetch(new URL(path, this.#url), {
        method,
        headers,
        ...(encoded !== undefined && { body: encoded }),
        ...(signal && { signal }),
      });
    } catch (error) {
      throw failure(error, signal);
    }
    if (reply.ok) return reply;
    throw reported(reply, parseJson(reply, await text(reply, signal)));
  }
}

/** JSON, or a form where there are bytes: base64 would make them longer by a third. */
function encode(body: object): string | FormData {
  const { image, ...rest } = body as { readonly image?: Uint8Array | Blob };
  if (image === undefined) return JSON.stringify(rest);
  const form = new FormData();
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined) form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  form.set('image', image instanceof Blob ? image : new Blob([new Uint8Array(image)]), 'image');
  return form;
}

async function text(reply: Response, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await reply.text();
  } catch (error) {
    throw failure(error, signal);
  }
}

function parseJson(reply: Response, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw invalid(reply, 'it is not JSON');
  }
}

/** The error that a reply reports. */
function reported(reply: Response, value: unknown): GranuleError {
  const { code, message } = (value as Partial<ErrorBody> | null)?.error ?? {};
  if (typeof code !== 'string' || typeof message !== 'string') return invalid(reply, 'it names no error');
  const retryAfter = Number(reply.headers.get('retry-after') ?? Number.NaN);
  // A newer server may know codes that this client does not.
  return new GranuleError(code as ErrorCode, message, {
    status: reply.status,
    ...(Number.isFinite(retryAfter) && { retryAfter }),
  });
}

function invalid({ status }: Response, reason: string): GranuleError {
  return new GranuleError('RESPONSE_INVALID', `the reply with status ${status} is not Granule's: ${reason}`, {
    status,
  });
}

function failure(error: unknown, signal: AbortSignal | undefined): GranuleError {
  if (error instanceof GranuleError) return error;
  if (signal?.aborted)
    return new GranuleError('ABORTED', 'the call was aborted', {}, { cause: signal.reason });
  const { message, cause } = error as Error;
  const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return new GranuleError(
    'SERVER_UNREACHABLE',
    `the server cannot be reached: ${reason}`,
    {},
    { cause: error },
  );
}

async function unlessNotFound<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof GranuleError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
