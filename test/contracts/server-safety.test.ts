/** Nobody gets in who should not, and nothing that comes over the wire does harm. */
import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorCode, exchange, post, startServer } from './running-server.js';

const READ = 'r'.repeat(32);
const WRITE = 'w'.repeat(32);

function request(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

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
    const reply = await post(`${url}/v1/ask`, { question: 'What?' });
    expect(reply.status).toBe(500);
    expect(await reply.text()).toBe(
      '{"error":{"code":"INTERNAL","message":"the server failed; its log says more"}}',
    );
    expect(JSON.stringify(log)).toContain('/secret/path');
  });

  it('the log holds one line per request, and contents only where they were asked for', async () => {
    for (const logContents of [false, true]) {
      const { url, server, log } = await startServer({ logContents });
      await post(`${url}/v1/ask`, { question: 'a secret question' });
      await fetch(`${url}/v1/entities/secret-id`);
      await server.stop();
      const lines = log.filter(({ msg }) => msg === 'request');
      expect(lines.map(({ method, route, status }) => [method, route, status])).toEqual([
        ['POST', '/v1/ask', 200],
        ['GET', '/v1/entities/:id', 404],
      ]);
      expect(JSON.stringify(log).includes('secret question')).toBe(logContents);
      expect(JSON.stringify(log).includes('secret-id')).toBe(logContents);
    }
  });
});

describe('what comes in', () => {
  const HEAD = ['POST /v1/ask HTTP/1.1', 'Host: localhost', 'Connection: close'];
  const JSON_HEAD = [...HEAD, 'Content-Type: application/json'];

  it.each<[string, string, RegExp]>([
    ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00', /^HTTP\/1.1 400 .*REQUEST_INVALID/s],
    [
      'a header that is too large',
      request(['GET / HTTP/1.1', `Host: ${'a'.repeat(70_000)}`]),
      /^HTTP\/1.1 431 /,
    ],
    ['no Host header', request(['GET /v1/status HTTP/1.1']), /^HTTP\/1.1 400 /],
    [
      'two Host headers',
      request(['GET /v1/status HTTP/1.1', 'Host: localhost', 'Host: evil', 'Connection: close']),
      /^HTTP\/1.1 (200|400|403) /,
    ],
    [
      'two lengths',
      request([...JSON_HEAD, 'Content-Length: 2', 'Content-Length: 20'], '{}'),
      /^HTTP\/1.1 400 /,
    ],
    [
      'a length and chunks',
      request([...JSON_HEAD, 'Content-Length: 2', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
      /^HTTP\/1.1 400 /,
    ],
    [
      'chunks in disguise',
      request([...JSON_HEAD, 'Transfer-Encoding: xchunked', 'Content-Length: 2'], '{}'),
      /^HTTP\/1.1 (400|501) /,
    ],
    ['a negative length', request([...JSON_HEAD, 'Content-Length: -2'], '{}'), /^HTTP\/1.1 400 /],
    ['a header with a line feed alone', `GET / HTTP/1.1\nHost: localhost\n\n`, /^HTTP\/1.1 (400|404) /],
    ['a NUL in a header', request(['GET / HTTP/1.1', 'Host: local\0host']), /^HTTP\/1.1 400 /],
    ['a space before a colon', request(['GET / HTTP/1.1', 'Host : localhost']), /^HTTP\/1.1 400 /],
    [
      'an absolute address',
      request(['GET http://evil/v1/status HTTP/1.1', 'Host: localhost', 'Connection: close']),
      /^HTTP\/1.1 (200|400|404) /,
    ],
    [
      'a path upwards',
      request(['GET /page/../../package.json HTTP/1.1', 'Host: localhost', 'Connection: close']),
      /^HTTP\/1.1 404 /,
    ],
    [
      'a NUL in the path',
      request(['GET /v1/documents/a%00b HTTP/1.1', 'Host: localhost', 'Connection: close']),
      /^HTTP\/1.1 404 /,
    ],
    [
      'a path too long',
      request([`GET /v1/documents/${'a'.repeat(9_500)} HTTP/1.1`, 'Host: localhost', 'Connection: close']),
      /^HTTP\/1.1 4/,
    ],
    [
      'JSON that is none',
      request([...JSON_HEAD, 'Content-Length: 5'], '{"a":'),
      /^HTTP\/1.1 400 .*REQUEST_INVALID/s,
    ],
    ['no body', request([...JSON_HEAD, 'Content-Length: 0']), /^HTTP\/1.1 400 .*REQUEST_INVALID/s],
    ['null', request([...JSON_HEAD, 'Content-Length: 4'], 'null'), /^HTTP\/1.1 400 /],
    [
      'a prototype',
      request([...JSON_HEAD, 'Content-Length: 43'], '{"question":"a","__proto__":{"polluted":1}}'),
      /^HTTP\/1.1 400 /,
    ],
    [
      'another type',
      request([...HEAD, 'Content-Type: text/xml', 'Content-Length: 2'], '{}'),
      /^HTTP\/1.1 415 /,
    ],
    ['gzip', request([...JSON_HEAD, 'Content-Encoding: gzip', 'Content-Length: 2'], '{}'), /^HTTP\/1.1 415 /],
    [
      'a form without a boundary',
      request([...HEAD, 'Content-Type: multipart/form-data', 'Content-Length: 2'], '{}'),
      /^HTTP\/1.1 400 .*REQUEST_INVALID/s,
    ],
    [
      'a form that is cut short',
      request(
        [...HEAD, 'Content-Type: multipart/form-data; boundary=b', 'Content-Length: 63'],
        '--b\r\nContent-Disposition: form-data; name="question"\r\n\r\nWhat is',
      ),
      /^HTTP\/1.1 400 .*REQUEST_INVALID/s,
    ],
  ])('%s is refused', async (_, bytes, expected) => {
    const { port, url } = await startServer();
    const reply = await exchange(port, bytes);
    expect(reply).toMatch(expected);
    expect(reply).not.toMatch(/\n {4}at /);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('two requests in one are two, and what follows a broken one is not read', async () => {
    const { port, log } = await startServer();
    const first = request(
      ['POST /v1/ask HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', 'Content-Length: 2'],
      '{}',
    );
    const smuggled = 'GET /v1/entities/red HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const reply = await exchange(port, `${first}\x00garbage\r\n${smuggled}`, 1_000);
    expect(reply.match(/^HTTP\/1.1 \d+/gm)).not.toContain('HTTP/1.1 200');
    expect(JSON.stringify(log)).not.toContain('/v1/entities');
  });

  it.each([
    ['a field that is unknown', (form: FormData) => form.set('other', 'a')],
    ['a field given twice', (form: FormData) => form.append('question', 'b')],
    ['a prototype', (form: FormData) => form.set('__proto__', 'a')],
    ['a file of another name', (form: FormData) => form.set('file', new Blob(['a']), 'a')],
    ['an image that is text', (form: FormData) => form.set('image', 'a')],
    ['a number that is none', (form: FormData) => form.set('entityCount', 'two')],
    ['a number beyond its limit', (form: FormData) => form.set('entityCount', '1000')],
  ])('a form with %s is refused', async (_, change) => {
    const { url } = await startServer();
    const form = new FormData();
    form.set('question', 'a');
    change(form);
    const reply = await fetch(`${url}/v1/ask`, { method: 'POST', body: form });
    expect([reply.status, await errorCode(reply)]).toEqual([400, 'REQUEST_INVALID']);
  });

  it.each([
    ['questions', { question: 'a'.repeat(2_001) }],
    ['blank questions', { question: ' \n ' }],
    ['counts', { question: 'a', entityCount: 101 }],
    ['fractions', { question: 'a', entityCount: 1.5 }],
    ['numbers as text', { question: 'a', entityCount: '1' }],
    ['selections', { question: 'a', select: 'all' }],
    ['base64', { question: 'a', image: 'ä' }],
    ['arrays for a body', [{ question: 'a' }]],
  ])('limits %s', async (_, body) => {
    const { url, knowledgeBase } = await startServer();
    const reply = await post(`${url}/v1/ask`, body);
    expect([reply.status, await errorCode(reply)]).toEqual([400, 'REQUEST_INVALID']);
    expect(knowledgeBase.questions).toEqual([]);
  });

  it('bodies beyond the limit are refused, announced or not', async () => {
    const { url, port } = await startServer({ limits: { bodyBytes: 10_000 } });
    const body = { question: 'a', image: 'A'.repeat(20_000) };
    const reply = await post(`${url}/v1/ask`, body);
    expect([reply.status, await errorCode(reply)]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const chunk = `1000\r\n${' '.repeat(4096)}\r\n`;
    const chunked = request([...JSON_HEAD, 'Transfer-Encoding: chunked'], chunk.repeat(4));
    expect(await exchange(port, chunked)).toMatch(/^HTTP\/1.1 413 .*PAYLOAD_TOO_LARGE/s);
    const form = new FormData();
    form.set('question', 'a');
    form.set('image', new Blob([new Uint8Array(20_000)]), 'a');
    expect((await fetch(`${url}/v1/ask`, { method: 'POST', body: form })).status).toBe(413);
  });
});

describe('uploaded images', () => {
  /** A PNG whose header claims a size, with as many zero bytes of pixels, which deflate packs a thousandfold. */
  function bomb(side: number): Buffer {
    const chunk = (type: string, data: Buffer) => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(data.length);
      head.write(type, 4, 'latin1');
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])));
      return Buffer.concat([head, data, sum]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(side);
    header.writeUInt32BE(side, 4);
    header.set([8, 0, 0, 0, 0], 8);
    const pixels = deflateSync(Buffer.alloc(Math.min(side * (side + 1), 50_000_000)));
    const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
    return Buffer.concat([
      signature,
      chunk('IHDR', header),
      chunk('IDAT', pixels),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }

  it('are refused beyond the limit of pixels, before they are unpacked', async () => {
    const { url } = await startServer({ limits: { pixels: 1_000_000 } });
    for (const side of [1_001, 30_000, 2 ** 31 - 1]) {
      const image = bomb(Math.min(side, 40_000));
      const reply = await post(`${url}/v1/ask`, { question: 'a', image: image.toString('base64') });
      expect([reply.status, await errorCode(reply)], String(side)).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    }
    const fits = bomb(1_000).toString('base64');
    expect((await post(`${url}/v1/ask`, { question: 'a', image: fits })).status).toBe(200);
  });

  it('are refused where they are damaged, of another kind, or a program', async () => {
    const { url, knowledgeBase } = await startServer();
    const noise = Buffer.from(createHash('sha512').update('noise').digest());
    const png = await sharp({
      create: {
        width: 64,
        height: 64,
        channels: 3,
        noise: { type: 'gaussian', mean: 128, sigma: 30 },
      } as never,
    })
      .png()
      .toBuffer();
    for (const [image, status, code] of [
      [png.subarray(0, png.length >> 1), 422, 'IMAGE_UNREADABLE'],
      [Buffer.concat([png.subarray(0, 8), noise]), 422, 'IMAGE_UNREADABLE'],
      [
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      ],
      [Buffer.from('%PDF-1.7'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [Buffer.alloc(0), 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [noise, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ] as const) {
      const reply = await post(`${url}/v1/search`, { image: image.toString('base64') });
      expect([reply.status, await errorCode(reply)]).toEqual([status, code]);
    }
    expect(knowledgeBase.queries).toEqual([]);
  });
});
