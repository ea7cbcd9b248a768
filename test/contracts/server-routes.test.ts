/** Every route answers as its schema says, and the OpenAPI document tells of every route. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  AnswerBody,
  DocumentBody,
  DocumentStored,
  EntityBody,
  PassageBody,
  SearchReply,
  StatusBody,
} from '../../src/server/schemas.js';
import { SVG } from './fake-knowledge-base.js';
import { errorCode, post, startServer } from './running-server.js';

const WRITE = 'w'.repeat(32);

async function png(): Promise<Buffer> {
  return sharp({ create: { width: 12, height: 9, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
}

function expectBody(schema: TSchema, body: unknown): void {
  expect([...Value.Errors(schema, body)].map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
}

describe('POST /v1/ask', () => {
  it('answers a question, with and without a picture, as JSON and as a form', async () => {
    const { url, knowledgeBase } = await startServer();
    const image = await png();
    const form = new FormData();
    form.set('question', 'What is it?');
    form.set('entityCount', '2');
    form.set('filter', '{"region":"Europe"}');
    form.set('image', new Blob([new Uint8Array(image)]), 'a.png');
    const replies = [
      await post(`${url}/v1/ask`, { question: 'What is it?' }),
      await post(`${url}/v1/ask`, {
        question: 'What is it?',
        image: image.toString('base64'),
        select: 'marginal',
      }),
      await fetch(`${url}/v1/ask`, { method: 'POST', body: form }),
    ];
    for (const reply of replies) {
      expect(reply.status).toBe(200);
      expectBody(AnswerBody, await reply.json());
    }
    expect(knowledgeBase.questions).toEqual([
      { question: 'What is it?' },
      { question: 'What is it?', image, select: 'marginal' },
      { question: 'What is it?', image, entityCount: 2, filter: { region: 'Europe' } },
    ]);
  });

  it('streams each stage as soon as it is done, signs of life in between, and then the answer', async () => {
    const { url, knowledgeBase } = await startServer({ limits: { heartbeat: 20 } });
    let open = () => {};
    knowledgeBase.gate = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const reply = await post(
      `${url}/v1/ask`,
      { question: 'What?' },
      { headers: { accept: 'text/event-stream' } },
    );
    expect(reply.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of reply.body!) {
      text += decoder.decode(chunk, { stream: true });
      // The first stage is here while the answer is still worked at.
      if (text.includes('event: entities') && text.split(': still at work').length > 2) open();
    }
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)];
    expect(events.map(([, event]) => event)).toEqual([
      'entities',
      'expansion',
      'passages',
      'answers',
      'selection',
      'answer',
    ]);
    expectBody(AnswerBody, JSON.parse(events.at(-1)![2]!));
  });

  it('reports an error of a stream as an event', async () => {
    const { url } = await startServer();
    const body = { question: 'What?', image: Buffer.from('no image').toString('base64') };
    const reply = await post(`${url}/v1/ask`, body, { headers: { accept: 'text/event-stream' } });
    expect(reply.status).toBe(200);
    expect(await reply.text()).toMatch(
      /\nevent: error\ndata: \{"error":\{"code":"UNSUPPORTED_MEDIA_TYPE",.*\}\}\n\n$/,
    );
  });
});

describe('POST /v1/search', () => {
  it('gives every level as it was found', async () => {
    const { url, knowledgeBase } = await startServer();
    const bytes = await png();
    const image = bytes.toString('base64');
    const bodies = [
      { text: 'a' },
      { text: 'a', level: 'passage' },
      { text: 'a', level: 'document', k: 2 },
      { text: 'a', level: 'entity', filter: { a: 1 } },
      { image, k: 3 },
      { image, level: 'entity' },
      { image, level: 'image', filter: { b: 2 } },
    ] as const;
    const { signal } = new AbortController();
    for (const { image: picture, ...body } of bodies.map((each) => ({ image: undefined, ...each }))) {
      const reply = await post(`${url}/v1/search`, { ...body, ...(picture && { image: picture }) });
      expect(reply.status).toBe(200);
      const found = await reply.json();
      expectBody(SearchReply, found);
      // Nothing of a hit is lost on the way, whatever its level is.
      const query = { k: 10, ...body, ...(picture && { image: bytes }) };
      expect(knowledgeBase.queries.at(-1)).toEqual(query);
      expect(found).toEqual(await knowledgeBase.search(query, { signal }));
    }
  });

  it('knows no other level', async () => {
    const { url, knowledgeBase } = await startServer();
    const reply = await post(`${url}/v1/search`, { text: 'a', level: 'patch' });
    expect([reply.status, await errorCode(reply)]).toEqual([400, 'REQUEST_INVALID']);
    expect(knowledgeBase.queries).toEqual([]);
  });

  it('is for either a text or an image', async () => {
    const { url } = await startServer();
    const image = (await png()).toString('base64');
    for (const body of [{}, { text: 'a', image }]) {
      const reply = await post(`${url}/v1/search`, body);
      expect([reply.status, await errorCode(reply)]).toEqual([400, 'REQUEST_INVALID']);
    }
  });
});

describe('records', () => {
  it('are found by their ids, whatever characters these have', async () => {
    const { url, knowledgeBase } = await startServer({ tokens: { write: WRITE } });
    const headers = { authorization: `Bearer ${WRITE}` };
    const get = (path: string) => fetch(`${url}${path}`, { headers });
    expectBody(StatusBody, await (await get('/v1/status')).json());
    expectBody(EntityBody, await (await get('/v1/entities/red')).json());
    expectBody(PassageBody, await (await get('/v1/passages/red-1')).json());
    for (const id of [
      'plain',
      '../../etc/passwd',
      'a/b?c#d',
      '日本',
      '%2f',
      ' ',
      '\\..\\',
      'x'.repeat(1_000),
    ]) {
      const path = `/v1/documents/${encodeURIComponent(id)}`;
      const body = JSON.stringify({ entity: { id: 'red' }, text: 'Ruby is red.' });
      const put = () =>
        fetch(`${url}${path}`, {
          method: 'PUT',
          body,
          headers: { ...headers, 'content-type': 'application/json' },
        });
      const [created, replaced] = [await put(), await put()];
      expect([created.status, replaced.status]).toEqual([201, 200]);
      expectBody(DocumentStored, await created.json());
      expect([...knowledgeBase.documents.keys()]).toEqual([id]);
      const document = await (await get(path)).json();
      expectBody(DocumentBody, document);
      expect(document).toMatchObject({ id, text: 'Ruby is red.' });
      const remove = () => fetch(`${url}${path}`, { method: 'DELETE', headers });
      expect([(await remove()).status, (await remove()).status]).toEqual([204, 404]);
    }
  });

  it('that are not there are 404', async () => {
    const { url } = await startServer();
    for (const kind of ['entities', 'documents', 'passages', 'images']) {
      const reply = await fetch(`${url}/v1/${kind}/none`);
      expect([reply.status, await errorCode(reply)]).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('images come as they were stored, cannot run anything, and are sent once', async () => {
    const { url } = await startServer();
    const reply = await fetch(`${url}/v1/images/red`);
    expect(await reply.text()).toBe(SVG);
    expect(reply.headers.get('content-type')).toBe('image/svg+xml');
    expect(reply.headers.get('content-security-policy')).toMatch(/^default-src 'none';.*\bsandbox\b/);
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    const again = await fetch(`${url}/v1/images/red`, {
      headers: { 'if-none-match': reply.headers.get('etag')! },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });
});

describe('the service', () => {
  it('is healthy and ready, and measures', async () => {
    const { url } = await startServer();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' });
    await post(`${url}/v1/ask`, { question: 'What?' });
    await post(`${url}/v1/ask`, { wrong: 'What?' });
    await fetch(`${url}/v1/entities/a-secret-id`);
    const reply = await fetch(`${url}/metrics`);
    expect(reply.headers.get('content-type')).toContain('text/plain');
    const text = await reply.text();
    for (const line of [
      'granule_http_request_duration_seconds_count{route="/v1/ask",method="POST",status="200"} 1',
      'granule_http_request_duration_seconds_count{route="/v1/ask",method="POST",status="400"} 1',
      'granule_stage_duration_seconds_count{stage="total"} 1',
      'granule_rejected_total{code="REQUEST_INVALID"} 1',
      'granule_queue_waiting 0',
      'granule_queue_running 0',
      'granule_items{kind="passages"} 1',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(text).not.toContain('secret');
  });

  it('describes itself in OpenAPI 3.1, with every route, by the schemas that validate', async () => {
    const { url } = await startServer({ limits: { k: 7, questionLength: 77 } });
    const reply = await fetch(`${url}/openapi.json`);
    const { openapi, paths, info } = (await reply.json()) as {
      openapi: string;
      info: { version: string };
      paths: Record<string, Record<string, { operationId: string; requestBody?: object; responses: object }>>;
    };
    expect(openapi).toBe('3.1.0');
    expect(info.version).toMatch(/^\d+\.\d+\.\d+$/);
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'delete /v1/documents/{id}',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'get /v1/documents/{id}',
      'get /v1/entities/{id}',
      'get /v1/images/{id}',
      'get /v1/passages/{id}',
      'get /v1/status',
      'post /v1/ask',
      'post /v1/search',
      'put /v1/documents/{id}',
    ]);
    expect(paths['/v1/ask']!['post']!.requestBody).toMatchObject({
      content: {
        'application/json': {
          schema: { required: ['question'], properties: { question: { maxLength: 77 } } },
        },
        'multipart/form-data': { schema: { properties: { entityCount: { maximum: 7 } } } },
      },
    });
    expect(paths['/v1/ask']!['post']!.responses).toMatchObject({
      200: {
        content: { 'application/json': { schema: { type: 'object' } }, 'text/event-stream': { schema: {} } },
      },
    });
    for (const methods of Object.values(paths)) {
      for (const { responses } of Object.values(methods)) {
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
      }
    }
  });

  it('serves the files of the page from memory, and only those', async () => {
    const pageFolder = mkdtempSync(join(tmpdir(), 'granule-page-'));
    onTestFinished(() => rmSync(pageFolder, { recursive: true }));
    writeFileSync(join(pageFolder, 'index.html'), '<!doctype html>');
    writeFileSync(join(pageFolder, 'page.js'), 'start()');
    writeFileSync(join(pageFolder, 'secret.key'), 'secret');
    const { url } = await startServer({ pageFolder, tokens: { read: WRITE } });
    const page = await fetch(url);
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<!doctype html>',
    ]);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await fetch(`${url}/page/page.js`)).headers.get('content-type')).toBe(
      'text/javascript; charset=utf-8',
    );
    const tag = page.headers.get('etag')!;
    expect((await fetch(url, { headers: { 'if-none-match': tag } })).status).toBe(304);
    for (const path of ['/page/secret.key', '/page/index.html', '/page/', '/page/..%2fpage.js']) {
      expect((await fetch(`${url}${path}`)).status, path).toBe(404);
    }
  });

  it('is 404 where there is no route, and says nothing of a method that does not fit', async () => {
    const { url } = await startServer();
    for (const [method, path] of [
      ['GET', '/v1/ask'],
      ['POST', '/v1/status'],
      ['GET', '/V1/status'],
      ['OPTIONS', '/v1/ask'],
    ]) {
      const reply = await fetch(`${url}${path}`, { method: method! });
      expect([reply.status, await errorCode(reply)]).toEqual([404, 'NOT_FOUND']);
    }
  });
});
