/** The client speaks with the server as it is, and turns whatever goes wrong into an error with a code. */
import { createServer } from 'node:http';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readServerSentEvents } from '../../src/client/event-stream-reader.js';
import { GranuleClient } from '../../src/client/index.js';
import { SVG } from './fake-knowledge-base.js';
import { startServer, until } from './running-server.js';

const WRITE = 'w'.repeat(32);

async function connected(options: Parameters<typeof startServer>[0] = {}) {
  const running = await startServer({ tokens: { write: WRITE }, ...options });
  return { ...running, client: new GranuleClient({ url: running.url, token: WRITE }) };
}

/** A server that answers everything alike. */
async function answering(
  status: number,
  headers: Record<string, string>,
  body: string,
): Promise<GranuleClient> {
  const server = createServer((_, reply) => reply.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return new GranuleClient({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}` });
}

describe('GranuleClient', () => {
  it('asks, searches, and reads records', async () => {
    const { client, knowledgeBase } = await connected();
    const image = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const answer = await client.ask({
      question: 'What?',
      image,
      entityCount: 2,
      filter: { a: 1 },
      select: 'joint',
    });
    expect(answer.answer).toBe('Crimson');
    expect(knowledgeBase.questions).toEqual([
      { question: 'What?', image, entityCount: 2, filter: { a: 1 }, select: 'joint' },
    ]);
    await client.ask({ question: 'What?', image: new Blob([new Uint8Array(image)]) });
    expect((await client.search({ text: 'a' })).level).toBe('passage');
    expect((await client.search({ image, k: 2 })).level).toBe('entity');
    const found = await client.search({ image, level: 'image' });
    if (found.level === 'image') expect(found.hits[0]).toMatchObject({ image: 'red', entity: { id: 'red' } });
    expect(knowledgeBase.queries.at(-1)).toEqual({ image, level: 'image', k: 10 });
    expect((await client.search({ text: 'a', level: 'document' })).hits).toMatchObject([
      { document: { id: 'history', entity: 'red' }, passage: { id: 'red-1' } },
    ]);
    expect(await client.status()).toMatchObject({ writable: true, counts: { entities: 1 } });
    expect(await client.entity('red')).toMatchObject({ title: 'Ruby' });
    expect(await client.passage('red-1')).toMatchObject({ entity: 'red' });
    const stored = await client.image('red');
    expect([stored?.type, await stored?.text()]).toEqual(['image/svg+xml', SVG]);
    for (const kind of ['entity', 'document', 'passage', 'image'] as const) {
      expect(await client[kind]('none/../at?all')).toBeUndefined();
    }
  });

  it('stores and deletes documents', async () => {
    const { client } = await connected();
    const id = 'a/b c';
    expect(await client.putDocument(id, { entity: { id: 'red' }, text: 'Ruby.' })).toMatchObject({
      id,
      created: true,
    });
    expect(await client.document(id)).toMatchObject({ id, text: 'Ruby.' });
    expect([await client.deleteDocument(id), await client.deleteDocument(id)]).toEqual([true, false]);
  });

  it('tells the stages while the answer is worked at', async () => {
    const { client, knowledgeBase } = await connected();
    let open = () => {};
    knowledgeBase.gate = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const steps: string[] = [];
    for await (const event of client.askStages({ question: 'What?' })) {
      steps.push(event.step);
      if (event.step === 'entities') open();
      if (event.step === 'answer') expect(event.answer.answer).toBe('Crimson');
    }
    expect(steps).toEqual(['entities', 'expansion', 'passages', 'answers', 'selection', 'answer']);
  });

  it('stops the server when it stops listening, or is aborted', async () => {
    const { client, knowledgeBase } = await connected();
    knowledgeBase.gate = () => new Promise(() => {});
    for await (const { step } of client.askStages({ question: 'What?' })) if (step === 'entities') break;
    await until(() => knowledgeBase.aborted === 1);
    const abort = new AbortController();
    const asked = client.ask({ question: 'What?' }, { signal: abort.signal });
    await until(() => knowledgeBase.running === 1);
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
    await until(() => knowledgeBase.aborted === 2);
    const stream = client.askStages({ question: 'What?' }, { signal: abort.signal });
    await expect(stream.next()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('reports errors by their codes, also from within a stream', async () => {
    const { url, client, knowledgeBase } = await connected({ limits: { concurrency: 1, queue: 0 } });
    const stranger = new GranuleClient({ url });
    await expect(stranger.status()).rejects.toMatchObject({ code: 'UNAUTHORIZED', details: { status: 401 } });
    await expect(stranger.deleteDocument('a')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(client.ask({ question: '' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    const image = new Uint8Array(9);
    const next = client.askStages({ question: 'What?', image }).next();
    await expect(next).rejects.toMatchObject({ name: 'GranuleError', code: 'UNSUPPORTED_MEDIA_TYPE' });
    let open = () => {};
    knowledgeBase.gate = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const first = client.ask({ question: 'What?' });
    await until(() => knowledgeBase.running === 1);
    await expect(client.ask({ question: 'What?' })).rejects.toMatchObject({
      code: 'OVERLOADED',
      details: { status: 429, retryAfter: expect.any(Number) },
    });
    open();
    await first;
  });

  it('says when no server answers, or another than Granule', async () => {
    const gone = await startServer();
    await gone.server.stop();
    await expect(new GranuleClient({ url: gone.url }).status()).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
    for (const [status, body] of [
      [200, '<html>'],
      [502, '<html>'],
      [404, '{}'],
      [500, 'null'],
      [500, '{"error":"text"}'],
    ] as const) {
      const client = await answering(status, {}, body);
      await expect(client.entity('a')).rejects.toMatchObject({
        code: 'RESPONSE_INVALID',
        details: { status },
      });
    }
    const broken = await answering(
      200,
      { 'content-type': 'text/event-stream' },
      'event: entities\ndata: {}\n\nevent: answer\nda',
    );
    const stages = broken.askStages({ question: 'a' });
    expect((await stages.next()).done).toBe(false);
    await expect(stages.next()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });

  it('finds a server below a path', async () => {
    const paths: string[] = [];
    const fetch = async (input: unknown) => {
      paths.push(String(input));
      return new Response('{}');
    };
    for (const url of ['https://example.org/kb', 'https://example.org/kb/']) {
      await new GranuleClient({ url, fetch: fetch as typeof globalThis.fetch }).status();
    }
    expect(paths).toEqual(Array(2).fill('https://example.org/kb/v1/status'));
  });
});

describe('readServerSentEvents', () => {
  it('reads the same events however the bytes are cut', async () => {
    const text =
      ': comment\n\nevent: a\ndata: {"ä":1}\n\ndata:no space\ndata: two\r\n\r\nevent: empty\n\nid: 1\ndata\n\n';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.slice(i * size, (i + 1) * size),
      );
      const events = [];
      for await (const event of readServerSentEvents(
        ReadableStream.from(chunks) as ReadableStream<Uint8Array>,
      )) {
        events.push(event);
      }
      expect(events).toEqual([
        { event: 'a', data: '{"ä":1}' },
        { event: 'message', data: 'no space\ntwo' },
        { event: 'message', data: '' },
      ]);
    }
  });
});
