/** How much the server does at once and for how long, and how it stops. */
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { GranuleServer } from '../../src/server/server.js';
import { FakeKnowledgeBase } from './fake-knowledge-base.js';
import { errorCode, exchange, post, startServer, until } from './running-server.js';

/** Lets works wait until `open` is called. */
function gated(knowledgeBase: FakeKnowledgeBase): () => void {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  knowledgeBase.gate = () => opened;
  return open;
}

const ask = (url: string, init: RequestInit = {}) => post(`${url}/v1/ask`, { question: 'What?' }, init);

describe('a busy server', () => {
  it('runs so many at once, lets so many wait, and refuses the others with a time to try again', async () => {
    const { url, knowledgeBase, server } = await startServer({ limits: { concurrency: 2, queue: 3 } });
    const open = gated(knowledgeBase);
    const replies = Array.from({ length: 9 }, () => ask(url));
    await until(() => knowledgeBase.running === 2);
    const settled = await Promise.race([
      Promise.all(replies),
      new Promise((resolve) => setTimeout(resolve, 200)),
    ]);
    expect(settled).toBeUndefined();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('\ngranule_queue_waiting 3\n');
    expect(metrics).toContain('\ngranule_rejected_total{code="OVERLOADED"} 4\n');
    // What does not work still answers.
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    open();
    const all = await Promise.all(replies);
    expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429, 429, 429]);
    const refused = all.find(({ status }) => status === 429)!;
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await errorCode(refused)).toBe('OVERLOADED');
    expect(knowledgeBase.mostRunning).toBe(2);
    expect((await ask(url)).status).toBe(200);
    await server.stop();
  });

  it('takes bodies of so many bytes altogether', async () => {
    const { url, knowledgeBase } = await startServer({
      limits: { concurrency: 8, bodyBytes: 10_000, pendingBytes: 15_000 },
    });
    const open = gated(knowledgeBase);
    const long = { question: 'What?', filter: { padding: 'a'.repeat(9_000) } };
    const first = post(`${url}/v1/ask`, long);
    await until(() => knowledgeBase.running === 1);
    expect((await post(`${url}/v1/ask`, long)).status).toBe(429);
    const small = ask(url);
    await until(() => knowledgeBase.running === 2);
    open();
    expect([(await first).status, (await small).status]).toEqual([200, 200]);
    expect((await post(`${url}/v1/ask`, long)).status).toBe(200);
  });

  it.each([true, false])(
    'ends a request at its deadline, and its work where it listens (%s)',
    async (obedient) => {
      const { url, knowledgeBase } = await startServer({ limits: { deadline: 150, concurrency: 1 } });
      knowledgeBase.obedient = obedient;
      const open = gated(knowledgeBase);
      const start = performance.now();
      const replies = await Promise.all([ask(url), ask(url)]);
      expect(performance.now() - start).toBeLessThan(2_000);
      for (const reply of replies)
        expect([reply.status, await errorCode(reply)]).toEqual([504, 'DEADLINE_EXCEEDED']);
      // The second's turn may come in the moment between the two deadlines.
      await until(() => knowledgeBase.aborted >= 1);
      // A work that takes no notice keeps its turn: the limit of works at once holds.
      await until(() => knowledgeBase.running === (obedient ? 0 : 1));
      open();
      await until(() => knowledgeBase.running === 0);
      expect((await ask(url)).status).toBe(200);
      expect(knowledgeBase.mostRunning).toBe(1);
    },
  );

  it('ends a stream at its deadline with an event', async () => {
    const { url, knowledgeBase } = await startServer({ limits: { deadline: 150 } });
    gated(knowledgeBase);
    const reply = await ask(url, { headers: { accept: 'text/event-stream' } });
    expect(await reply.text()).toContain('event: error\ndata: {"error":{"code":"DEADLINE_EXCEEDED"');
  });

  it.each([{}, { accept: 'text/event-stream' }])(
    'stops working for a client that goes away (%o)',
    async (headers) => {
      const { url, knowledgeBase, log } = await startServer();
      gated(knowledgeBase);
      const abort = new AbortController();
      const call = ask(url, { signal: abort.signal, headers: headers as Record<string, string> }).then(
        (reply) => reply.text(),
      );
      call.catch(() => undefined);
      await until(() => knowledgeBase.running === 1);
      abort.abort();
      await expect(call).rejects.toThrow();
      await until(() => knowledgeBase.aborted === 1 && knowledgeBase.running === 0);
      await until(() => log.some(({ aborted }) => aborted === true));
    },
  );
});

describe('a slow client', () => {
  it.each([
    ['headers', 'POST /v1/ask HTTP/1.1\r\nHost: localhost\r\n'],
    [
      'a body',
      'POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ],
    [
      'a form',
      'POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9\r\n\r\n--',
    ],
  ])('that never ends %s is let go, and its place is free again', async (_, bytes) => {
    const { url, port } = await startServer({ limits: { arrival: 300, concurrency: 1, queue: 0 } });
    const reply = await exchange(port, bytes, 5_000);
    expect(reply).toMatch(/^HTTP\/1.1 408 /);
    expect((await ask(url)).status).toBe(200);
  });

  it('connections beyond the limit are closed at once', async () => {
    const { url, port } = await startServer({ limits: { connections: 3 } });
    const sockets = Array.from({ length: 3 }, () => connect(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    for (const socket of sockets) socket.destroy();
    let status = 0;
    for (let i = 0; i < 100 && status === 0; i++) {
      status = await fetch(`${url}/healthz`).then(
        (reply) => reply.status,
        () => 0,
      );
    }
    expect(status).toBe(200);
  });
});

describe('a server that is told to stop', () => {
  it('finishes what runs and waits, is not ready meanwhile, and closes kept connections', async () => {
    const { url, knowledgeBase, server } = await startServer({
      limits: { concurrency: 1, queue: 9, drainDelay: 300, drain: 20_000 },
    });
    const open = gated(knowledgeBase);
    const agent = new Agent({ keepAlive: true });
    const kept = () =>
      new Promise<{ status: number; connection: string | undefined }>((resolve, reject) => {
        httpRequest(`${url}/readyz`, { agent }, (reply) => {
          reply
            .resume()
            .on('end', () => resolve({ status: reply.statusCode!, connection: reply.headers.connection }));
        })
          .on('error', reject)
          .end();
      });
    expect(await kept()).toEqual({ status: 200, connection: 'keep-alive' });
    const stream = ask(url, { headers: { accept: 'text/event-stream' } });
    await until(() => knowledgeBase.running === 1);
    const replies = [ask(url), ask(url), ask(url)];
    const stopped = server.stop();
    expect(await kept()).toEqual({ status: 503, connection: 'close' });
    // A request that comes before nobody listens any more is not lost.
    replies.push(ask(url));
    await new Promise((resolve) => setTimeout(resolve, 350));
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    open();
    const all = await Promise.all(replies);
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await (await stream).text()).toContain('\nevent: answer\n');
    // Nobody waits for connections that were kept when the server was told to stop.
    const start = performance.now();
    await stopped;
    expect(performance.now() - start).toBeLessThan(5_000);
    agent.destroy();
  });

  it('gives up what takes too long, and says so', async () => {
    const { url, knowledgeBase, server } = await startServer({ limits: { drain: 100 } });
    gated(knowledgeBase);
    const reply = ask(url);
    const stream = ask(url, { headers: { accept: 'text/event-stream' } }).then((streamed) => streamed.text());
    await until(() => knowledgeBase.running === 2);
    const start = performance.now();
    await server.stop();
    expect(performance.now() - start).toBeLessThan(2_500);
    expect([(await reply).status, await errorCode(await reply)]).toEqual([503, 'SHUTTING_DOWN']);
    expect(await stream).toContain('"code":"SHUTTING_DOWN"');
  });

  it('does not wait for connections that were opened in advance', async () => {
    const { port, server } = await startServer({ limits: { drain: 20_000 } });
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    await server.stop();
    expect(performance.now() - start).toBeLessThan(5_000);
    socket.destroy();
  });

  it('lets go of clients that do not read or do not finish', async () => {
    const { port, server } = await startServer({ limits: { drain: 100 } });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      'POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const start = performance.now();
    await server.stop();
    expect(performance.now() - start).toBeLessThan(2_500);
    socket.destroy();
  });
});

describe('options', () => {
  it.each([
    [{ host: '0.0.0.0' }, /token file/],
    [{ host: '::' }, /token file/],
    [{ host: '192.0.2.1' }, /token file/],
    [{ host: 'example.org' }, /token file/],
    [{ host: '127.0.0.1.example.org' }, /token file/],
    [{ port: 65_536 }, /port/],
    [{ limits: { k: 0 } }, /limits\.k/],
    [{ limits: { deadline: 2 ** 31 } }, /limits\.deadline/],
    [{ limits: { queue: -1 } }, /limits\.queue/],
    [{ allowedOrigins: ['https://example.org/path'] }, /origin/],
    [{ allowedOrigins: ['*'] }, /origin/],
  ])('%o are refused', async (options, message) => {
    const made = GranuleServer.create(new FakeKnowledgeBase(), options);
    await expect(made).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  it('say what port is taken', async () => {
    const { port } = await startServer();
    const second = await GranuleServer.create(new FakeKnowledgeBase(), { port, log: { write() {} } });
    await expect(second.listen()).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    await second.stop();
  });

  it('listen elsewhere with tokens', async () => {
    const { port } = await startServer({ host: '0.0.0.0', tokens: { read: 'r'.repeat(32) } });
    expect((await fetch(`http://127.0.0.1:${port}/v1/status`)).status).toBe(401);
  });
});
