import fc from 'fast-check';
import sharp from 'sharp';

/** A request as bytes, and whether it is certain to be complete HTTP, so that a reply must come. */
export interface MalformedRequest {
  readonly bytes: Buffer;
  readonly complete: boolean;
}

const JSON_ROUTES = ['/v1/ask', '/v1/search'] as const;
const HEADER_NAMES = [
  'accept',
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'if-none-match',
  'origin',
  'range',
  'sec-fetch-site',
  'transfer-encoding',
  'upgrade',
  'x-http-method-override',
];
const HEADER_VALUES = [
  '',
  '0',
  '-1',
  '1e9',
  '99999999999999999999',
  'a'.repeat(5_000),
  'application/json',
  'application/json; charset=utf-16',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=b; boundary=c',
  'text/event-stream',
  'chunked',
  'gzip',
  '100-continue',
  'websocket',
  'null',
  'http://127.0.0.1',
  '\u00ff\u0080',
];

/** Small images of each format that may be uploaded. */
export async function seedImages(): Promise<Buffer[]> {
  const image = sharp({ create: { width: 40, height: 30, channels: 3, background: '#c03020' } }).composite([
    { input: { create: { width: 12, height: 9, channels: 3, background: 'white' } }, left: 4, top: 4 },
  ]);
  return Promise.all([
    image.clone().png().toBuffer(),
    image.clone().png({ progressive: true, palette: true }).toBuffer(),
    image.clone().jpeg().toBuffer(),
    image
      .clone()
      .jpeg({ progressive: true })
      .withExif({ IFD0: { Copyright: 'nobody' } })
      .toBuffer(),
    image.clone().webp().toBuffer(),
    image.clone().gif().toBuffer(),
    image.clone().tiff().toBuffer(),
    image.clone().avif({ effort: 0 }).toBuffer(),
  ]);
}

/** Bytes with some of them changed, cut out, doubled or put in; nothing is changed where `edits` is empty. */
function mutated(seed: fc.Arbitrary<Buffer>, most = 6): fc.Arbitrary<Buffer> {
  const edit = fc.record({
    kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'repeat', 'end'),
    place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    value: fc.integer({ min: 0, max: 255 }),
    length: fc.integer({ min: 1, max: 64 }),
  });
  return fc.tuple(seed, fc.array(edit, { maxLength: most })).map(([bytes, edits]) =>
    edits.reduce((changed, { kind, place, value, length }) => {
      const at = Math.floor(place * changed.length);
      const head = changed.subarray(0, at);
      const tail = changed.subarray(at);
      if (kind === 'end') return head;
      if (kind === 'cut') return Buffer.concat([head, tail.subarray(length)]);
      if (kind === 'insert') return Buffer.concat([head, Buffer.alloc(length, value), tail]);
      if (kind === 'repeat') return Buffer.concat([head, tail.subarray(0, length), tail]);
      const copy = Buffer.from(changed);
      if (at < copy.length) copy[at] = kind === 'set' ? value : copy[at]! ^ (1 << (value & 7));
      return copy;
    }, bytes),
  );
}

function http(method: string, path: string, headers: readonly string[], body: Buffer): Buffer {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...headers];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function jsonRequest(path: string, body: Buffer): Buffer {
  return http('POST', path, ['Content-Type: application/json', `Content-Length: ${body.length}`], body);
}

function formRequest(path: string, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat([...parts, Buffer.from('--b--\r\n')]);
  return http(
    'POST',
    path,
    ['Content-Type: multipart/form-data; boundary=b', `Content-Length: ${body.length}`],
    body,
  );
}

function part(name: string, value: Buffer | string, file: boolean): Buffer {
  const disposition = `form-data; name="${name}"${file ? '; filename="a"' : ''}`;
  return Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: ${disposition}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
}

/** Requests that are wrong in many ways: in their bytes, headers, paths, JSON, forms and images. */
export function malformedRequest(images: readonly Buffer[]): fc.Arbitrary<MalformedRequest> {
  const route = fc.constantFrom(...JSON_ROUTES);
  const image = mutated(fc.constantFrom(...images));
  const anyValue = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      0,
      -1,
      1,
      100,
      101,
      1e308,
      '',
      ' ',
      'a',
      'passage',
      'entity',
      'joint',
      'red',
      null,
      [],
      {},
    ),
    fc.string({ unit: 'binary', maxLength: 50 }),
    image.map((bytes) => bytes.toString('base64')),
  );
  const field = fc.constantFrom(
    ...[
      'question',
      'text',
      'image',
      'entity',
      'filter',
      'entityCount',
      'passageCount',
      'select',
      'level',
      'k',
      '__proto__',
    ],
  );
  const whole = (request: fc.Arbitrary<Buffer>) => request.map((bytes) => ({ bytes, complete: true }));

  const jsonBody = fc
    .array(fc.tuple(field, anyValue), { maxLength: 5 })
    .map((fields) =>
      Buffer.from(`{${fields.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join()}}`),
    );
  const anyJson = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
  const deep = fc.integer({ min: 1, max: 20_000 }).map((depth) => {
    const filter = `${'{"not":'.repeat(depth)}{}${'}'.repeat(depth)}`;
    return Buffer.from(`{"question":"a","text":"a","filter":${filter}}`);
  });
  const json = fc.tuple(route, fc.oneof(jsonBody, mutated(jsonBody), anyJson, deep));

  const uploads = fc
    .tuple(route, image)
    .map(([path, bytes]) =>
      formRequest(path, [
        ...(path === '/v1/ask' ? [part('question', 'What is the capital of it?', false)] : []),
        part('image', bytes, true),
      ]),
    );
  const formPart = fc
    .tuple(field, fc.oneof(fc.string({ maxLength: 40 }), image), fc.boolean())
    .map(([name, value, file]) => part(name, value, file));
  const forms = fc
    .tuple(route, fc.array(mutated(formPart, 2), { maxLength: 12 }))
    .map(([path, parts]) => formRequest(path, parts));

  const id = fc.oneof(
    fc
      .string({ unit: 'binary', maxLength: 30 })
      .map((text) => encodeURIComponent(Buffer.from(text).toString())),
    fc.stringMatching(/^[\w%./\\~-]{0,40}$/),
    fc.constantFrom(
      'red',
      '..%2f..%2f..%2fetc%2fpasswd',
      '%00',
      '%zz',
      '%c0%ae',
      '%ff',
      '__proto__',
      'constructor',
    ),
  );
  const paths = fc
    .tuple(
      fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'OPTIONS', 'PATCH'),
      fc.constantFrom(
        '/v1/documents/',
        '/v1/entities/',
        '/v1/passages/',
        '/v1/images/',
        '/page/',
        '/',
        '/v1/',
      ),
      id,
    )
    .map(([method, folder, name]) =>
      http(method, `${folder}${name}`, ['Content-Length: 0'], Buffer.alloc(0)),
    );

  const headers = fc
    .tuple(
      route,
      fc.array(fc.tuple(fc.constantFrom(...HEADER_NAMES), fc.constantFrom(...HEADER_VALUES)), {
        maxLength: 5,
      }),
      jsonBody,
    )
    .map(([path, lines, body]) => ({
      bytes: http(
        'POST',
        path,
        lines.map(([name, value]) => `${name}: ${value}`),
        body,
      ),
      complete: false,
    }));
  const wire = mutated(
    fc.oneof(
      json.map(([path, body]) => jsonRequest(path, body)),
      uploads,
      paths,
    ),
    12,
  ).map((bytes) => ({ bytes, complete: false }));

  return fc.oneof(
    { weight: 3, arbitrary: whole(json.map(([path, body]) => jsonRequest(path, body))) },
    { weight: 3, arbitrary: whole(uploads) },
    { weight: 2, arbitrary: whole(forms) },
    { weight: 2, arbitrary: whole(paths) },
    { weight: 1, arbitrary: headers },
    { weight: 2, arbitrary: wire },
  );
}
