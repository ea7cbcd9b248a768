import type { Socket } from 'node:net';
import { type ErrorCode, GranuleError } from '../errors.js';
import type { ErrorBody } from './schemas.js';

/** The status of each error that a request may lead to; any other is the server's own fault, 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  REQUEST_INVALID: 400,
  K_OUT_OF_RANGE: 400,
  TEMPERATURE_INVALID: 400,
  FILTER_INVALID: 400,
  CORPUS_LINE_INVALID: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  READ_ONLY: 403,
  NOT_FOUND: 404,
  DUPLICATE_ID: 409,
  EMPTY_INDEX: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IMAGE_UNREADABLE: 422,
  OVERLOADED: 429,
  OUT_OF_MEMORY: 503,
  INDEX_DISPOSED: 503,
  ABORTED: 503,
  SHUTTING_DOWN: 503,
  DEADLINE_EXCEEDED: 504,
};

/** What a client is told of an error. */
export interface HttpError {
  readonly status: number;
  readonly body: ErrorBody;
  /** Seconds of the header Retry-After. */
  readonly retryAfter?: number;
}

/** Codes of Node and Fastify for requests that are wrong in themselves. */
const KNOWN: Readonly<Record<string, { readonly code: ErrorCode; readonly message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'PAYLOAD_TOO_LARGE', message: 'the body is too large' },
  FST_REQ_FILE_TOO_LARGE: { code: 'PAYLOAD_TOO_LARGE', message: 'the image is too large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'the body must be application/json, or multipart/form-data where there is an image',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'REQUEST_INVALID',
    message: 'the body is not as long as its Content-Length says',
  },
};

/** What a client is told of an error: never a stack, a path, or the words of an error that was not meant for clients. */
export function httpError(error: unknown): HttpError {
  if (error instanceof GranuleError) return ofGranuleError(error);
  const { code, statusCode, message, validation } = error as {
    readonly code?: string;
    readonly statusCode?: number;
    readonly message?: string;
    readonly validation?: unknown;
  };
  if (validation !== undefined) return httpError(new GranuleError('REQUEST_INVALID', message ?? 'invalid'));
  const known = KNOWN[code ?? ''];
  if (known !== undefined) return httpError(new GranuleError(known.code, known.message));
  // Whatever else Fastify and its plugins refuse with a status below 500 is a request that they could not read.
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const told =
      statusCode === 413 ? 'PAYLOAD_TOO_LARGE' : statusCode === 404 ? 'NOT_FOUND' : 'REQUEST_INVALID';
    return httpError(new GranuleError(told, `the request cannot be read: ${message}`));
  }
  return httpError(new GranuleError('INTERNAL', ''));
}

function ofGranuleError({ code, message, details }: GranuleError): HttpError {
  const status = STATUS[code] ?? 500;
  const told = status === 500 ? 'the server failed; its log says more' : message;
  const { retryAfter } = details;
  return {
    status,
    body: { error: { code, message: told } },
    ...(typeof retryAfter === 'number' && { retryAfter }),
  };
}

/** What cannot be read as HTTP gets a reply too, unless another is on its way over the same connection. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  reply: { readonly headersSent: boolean; readonly writableFinished: boolean } | undefined,
): void {
  const amidReply = reply?.headersSent && !reply.writableFinished;
  if (error.code === 'ECONNRESET' || !socket.writable || amidReply) {
    socket.destroy();
    return;
  }
  const [status, phrase, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'the headers are too large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'the request did not arrive in time']
        : [400, 'Bad Request', 'this is not HTTP'];
  const body = JSON.stringify({ error: { code: 'REQUEST_INVALID', message } });
  const head = `HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8`;
  socket.end(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, () => socket.destroy());
}
