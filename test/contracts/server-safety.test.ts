/** Nobody gets in who should not, and nothing goes out that should not. */
import { describe, expect, it } from 'vitest';
import { errorCode, exchange, post, httpRequest as request, startServer, until } from './running-server.js';

const READ = 'r'.repeat(32);
const WRITE = 'w'.repeat(32);

describe('who may ask', () => {
  it.each([
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['', 403],
    ['[::1', 403],
    ['localhost', 200],
    ['LOCALHOST:1234', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:1', 200],
    ['kb.example:443', 200],
  ])('the Host header "%s" of a server on loopback gives %i', async (host, status) => {
    const { port } = await startServer({ allowedHosts: ['kb.example'] });
    const reply = await exchange(
      port,
      request(['GET /v1/status HTTP/1.1', `Host: ${host}`, 'Connection: close']),
    );
    expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it.each([
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'https://friend.example' }, 200],
  ])('a browser with %o gets %i', async (headers, status) => {
    const { port } = await startServer({ allowedOrigins: ['https://friend.example'] });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const head = ['GET /v1/status HTTP/1.1', 'Host: localhost', 'Connection: close'];
    expect(await exchange(port, request([...head, ...lines]))).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('its own page may ask, and pages of allowed origins alone may read the replies', async () => {
    const { url } = await startServer({ allowedOrigins: ['https://friend.example'] });
    const own = await fetch(`${url}/v1/status`, { headers: { origin: url } });
    expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    const asks = { method: 'OPTIONS', headers: { 'access-control-request-method': 'PUT' } };
    for (const [origin, status, allowed] of [
      ['https://friend.example', 204, 'https://friend.example'],
      ['https://evil.example', 403, null],
    ] as const) {
      const reply = await fetch(`${url}/v1/documents/a`, { ...asks, headers: { ...asks.headers, origin } });
      expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([status, allowed]);
    }
  });

  it('a token grants what it is for, and nothing else', async () => {
    const { url } = await startServer({ tokens: { read: READ, write: WRITE } });
    const body = JSON.stringify({ entity: { id: 'red' }, text: 'a' });
    const calls = {
      read: (headers: Record<string, string>) => fetch(`${url}/v1/status`, { headers }),
      ask: (headers: Record<string, string>) => post(`${url}/v1/ask`, { question: 'a' }, { headers }),
      metrics: (headers: Record<string, string>) => fetch(`${url}/metrics`, { headers }),
      write: (headers: Record<string, string>) =>
        fetch(`${url}/v1/documents/a`, {
          method: 'PUT',
          body,
          headers: { ...headers, 'content-type': 'application/json' },
        }),
    };
    const statuses = async (authorization: string | undefined) => {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      return Promise.all(Object.values(calls).map(async (call) => (await call(headers)).status));
    };
    expect(await statuses(`Bearer ${READ}`)).toEqual([200, 200, 200, 403]);
    expect(await statuses(`bearer  ${WRITE}`)).toEqual([200, 200, 200, 201]);
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      `Basic ${READ}`,
      READ,
      `Bearer ${READ}r`,
      `Bearer ${READ.slice(1)}`,
    ]) {
      expect(await statuses(wrong), wrong).toEqual([401, 401, 401, 401]);
    }
    const reply = await fetch(`${url}/v1/status`);
    expect([reply.headers.get('www-authenticate'), await errorCode(reply)]).toEqual([
      'Bearer',
      'UNAUTHORIZED',
    ]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('nothing is written without a token file, nor where the knowledge base can only be read', async () => {
    const open = await startServer();
    expect(await errorCode(await fetch(`${open.url}/v1/documents/a`, { method: 'DELETE' }))).toBe(
      'FORBIDDEN',
    );
    const { url, knowledgeBase } = await startServer({ tokens: { write: WRITE } });
    Object.assign(knowledgeBase, { writer: undefined });
    const init = { method: 'DELETE', headers: { authorization: `Bearer ${WRITE}` } };
    const reply = await fetch(`${url}/v1/documents/a`, init);
    expect([reply.status, await errorCode(reply)]).toEqual([403, 'READ_ONLY']);
  });
});

describe('what goes out', () => {
  it('every reply forbids what a browser should not do with it', async () => {
    const { url } = await startServer({ tokens: { read: READ } });
    for (const path of ['/healthz', '/v1/status', '/nowhere', '/%zz', '/openapi.json']) {
      const { headers } = await fetch(`${url}${path}`);
      expect(headers.get('content-security-policy'), path).toContain("default-src 'none'; script-src 'self'");
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
      expect(headers.get('content-security-policy'), path).not.toContain('unsafe');
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(headers.get('access-control-allow-origin'), path).toBeNull();
      expect(headers.get('server'), path).toBeNull();
    }
  });

  it('a fault of the server is told without its words, and logged with them', async () => {
    const { url, knowledgeBase, log } = await startServer();
    knowledgeBase.gate = async () => {
      throw new Error('cannot open /secret/path');
    };
    const told = '{"error":{"code":"INTERNAL","message":"the server failed; its log says more"}}';
    const reply = await post(`${url}/v1/ask`, { question: 'What?' });
    expect([reply.status, await reply.text()]).toEqual([500, told]);
    const stream = await post(
      `${url}/v1/ask`,
      { question: 'What?' },
      { headers: { accept: 'text/event-stream' } },
    );
    expect(await stream.text()).toContain(`event: error\ndata: ${told}\n\n`);
    const faults = log.filter(({ msg }) => msg === 'fault');
    expect(faults).toHaveLength(2);
    expect(JSON.stringify(faults)).toContain('/secret/path');
    await until(() => log.filter(({ code }) => code === 'INTERNAL').length === 2);
  });

  it('the log holds one line per request, and contents only where they were asked for', async () => {
    for (const logContents of [false, true]) {
      const { url, server, log } = await startServer({ logContents });
      await post(`${url}/v1/ask`, { question: 'a secret question' });
      await fetch(`${url}/v1/entities/secret-id`);
      await fetch(`${url}/%zz`);
      await server.stop();
      const lines = log.filter(({ msg }) => msg === 'request');
      expect(lines.map(({ method, route, status }) => [method, route, status])).toEqual([
        ['POST', '/v1/ask', 200],
        ['GET', '/v1/entities/:id', 404],
        ['GET', 'none', 400],
      ]);
      expect(JSON.stringify(log).includes('secret question')).toBe(logContents);
      expect(JSON.stringify(log).includes('secret-id')).toBe(logContents);
    }
  });
});
