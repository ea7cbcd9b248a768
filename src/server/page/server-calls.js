// @ts-check
// What the page asks of its server.

/** @typedef {import('../schemas.js').AnswerBody} Answer */
/** @typedef {import('../schemas.js').StageBody} Stage */
/** @typedef {import('../schemas.js').StatusBody} Status */

/** An error that the server answered with. */
export class ServerError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [status] of HTTP
   */
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const TOKEN = 'granule-token';

/** @param {string} token of the server; kept until the tab is closed */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

/** @returns {Promise<Status>} */
export async function readStatus() {
  return (await call('/v1/status')).json();
}

/**
 * An image of the knowledge base, as a URL that holds until it is revoked.
 *
 * @param {string} id
 * @returns {Promise<string>}
 */
export async function imageUrl(id) {
  const reply = await call(`/v1/images/${encodeURIComponent(id)}`);
  return URL.createObjectURL(await reply.blob());
}

/**
 * Asks a question; each stage is told as soon as it is done.
 *
 * @param {string} question
 * @param {Blob | undefined} image
 * @param {(stage: Stage) => void} onStage
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function ask(question, image, onStage, signal) {
  const body = new FormData();
  body.append('question', question);
  if (image !== undefined) body.append('image', image, 'picture');
  const reply = await call('/v1/ask', {
    method: 'POST',
    body,
    signal,
    headers: { accept: 'text/event-stream' },
  });
  if (reply.body === null) throw new ServerError('INTERNAL', 'the server sent no events');
  for await (const { name, data } of events(reply.body)) {
    if (name === 'answer') return data;
    if (name === 'error') throw new ServerError(data.error.code, data.error.message);
    onStage(data);
  }
  throw new ServerError('INTERNAL', 'the connection ended before the answer');
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function call(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = new Headers(options.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const reply = await fetch(path, { ...options, headers });
  if (reply.ok) return reply;
  const { error } = await reply
    .json()
    .catch(() => ({ error: { code: 'INTERNAL', message: reply.statusText } }));
  const wait = reply.headers.get('retry-after');
  const when = reply.status === 429 && wait !== null ? ` Try again in ${wait} s.` : '';
  throw new ServerError(error.code, error.message + when, reply.status);
}

/**
 * The events of a stream (text/event-stream) whose data is one line of JSON.
 *
 * @param {ReadableStream<Uint8Array>} body
 */
async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name !== undefined && data !== undefined) yield { name, data: JSON.parse(data) };
    }
  }
}
