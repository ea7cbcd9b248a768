/** Nothing that comes over the wire does harm: what is malformed, too large or made to deceive is refused. */
import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { errorCode, exchange, post, httpRequest as request, startServer } from './running-server.js';

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
    [
      'no Host header',
      request(['GET /v1/status HTTP/1.1', 'Connection: close']),
      /^HTTP\/1.1 400 .*REQUEST_INVALID/s,
    ],
    [
      'no Host header in an old request',
      request(['GET /v1/status HTTP/1.0']),
      /^HTTP\/1.1 400 .*REQUEST_INVALID/s,
    ],
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
    [
      'an expectation',
      request([...JSON_HEAD, 'Expect: miracles', 'Content-Length: 2'], '{}'),
      /^HTTP\/1.1 417 .*REQUEST_INVALID/s,
    ],
    ['no body', request([...JSON_HEAD, 'Content-Length: 0']), /^HTTP\/1.1 400 .*REQUEST_INVALID/s],
    ['no body and no type', request([...HEAD, 'Content-Length: 0']), /^HTTP\/1.1 400 .*REQUEST_INVALID/s],
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

  it('what follows a reply that was the last is not answered', async () => {
    const { port } = await startServer();
    const first = request(
      ['POST /v1/ask HTTP/1.1', 'Host: localhost', 'Expect: miracles', 'Transfer-Encoding: riddles'],
      'garbage',
    );
    const reply = await exchange(port, first);
    expect(reply.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 417']);
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
