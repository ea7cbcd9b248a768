/**
 * Malformed requests and images, by seed: none leads to status 500, to a crash, or to a wait beyond the deadline.
 *
 *     GRANULE_FUZZ_RUNS=100000 GRANULE_FUZZ_SEED=7 node scripts/test-ts.mjs test/contracts/server-fuzz.test.ts
 */
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openKnowledgeBase } from '../../src/server/opened-knowledge-base.js';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { makeKnowledgeBase } from './knowledge-base-folder.js';
import { type MalformedRequest, malformedRequest, seedImages } from './malformed-requests.js';
import { serve } from './running-server.js';

const RUNS = Number(process.env['GRANULE_FUZZ_RUNS'] ?? 320);
const SEED = Number(process.env['GRANULE_FUZZ_SEED'] ?? 1);
/** Requests at once. */
const BATCH = 16;
const DEADLINE = 10_000;
const ARRIVAL = 500;
/** Beyond the deadline, for a machine that has much else to do. */
const SLACK = 10_000;

/** Sends a request and returns the reply. What may be incomplete is ended from this side too. */
function exchange(port: number, { bytes, complete }: MalformedRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes);
      if (!complete) socket.end();
    });
    const timer = setTimeout(
      () => {
        socket.destroy();
        reject(new Error(`no end within the deadline; so far: ${reply}`));
      },
      DEADLINE + ARRIVAL + SLACK,
    );
    socket.setEncoding('latin1').on('data', (text: string) => {
      reply += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(reply);
    });
  });
}

/** What is wrong with a reply; empty where nothing is. */
function fault(reply: string, complete: boolean): string {
  if (reply === '') return complete ? 'no reply' : '';
  const [head = '', body = ''] = reply.split('\r\n\r\n', 2);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (!(status >= 100 && status < 500) && status !== 503) return `status ${status}`;
  if (/\n {4}at |node_modules|\/tmp\//.test(reply)) return 'tells of its insides';
  if (status < 400 || body === '') return '';
  const error = (JSON.parse(body) as { error?: { code?: unknown; message?: unknown } }).error;
  return typeof error?.code === 'string' && typeof error.message === 'string'
    ? ''
    : 'no error of the one form';
}

it(
  `${RUNS} malformed requests are answered or refused, and the server is well afterwards`,
  async () => {
    const { kb, red } = await makeKnowledgeBase(temporaryFolder());
    const knowledgeBase = await openKnowledgeBase(kb);
    const { port, url, log } = await serve(knowledgeBase, {
      limits: { deadline: DEADLINE, arrival: ARRIVAL, pixels: 2_000_000, bodyBytes: 1 << 20, queue: 200 },
    });
    const request = malformedRequest(await seedImages());
    const statuses = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: BATCH, maxLength: BATCH }), async (requests) => {
        const replies = await Promise.all(requests.map((each) => exchange(port, each)));
        for (const [i, reply] of replies.entries()) {
          const status = reply.slice(9, 12);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          const wrong = fault(reply, requests[i]!.complete);
          if (wrong !== '') {
            throw new Error(
              `${wrong}\n${requests[i]!.bytes.toString('latin1').slice(0, 2_000)}\n->\n${reply}`,
            );
          }
        }
        log.length = 0;
      }),
      { numRuns: Math.ceil(RUNS / BATCH), seed: SEED, endOnFailure: true },
    );
    console.log(
      `statuses: ${[...statuses]
        .sort()
        .map(([status, count]) => `${status || 'none'} ${count}`)
        .join(', ')}`,
    );
    // Every kind of reply was met, or the requests do not reach what they should.
    for (const status of ['200', '400', '404', '415', '422']) expect([...statuses.keys()]).toContain(status);
    const form = new FormData();
    form.set('question', 'What is the capital of it?');
    form.set('image', new Blob([new Uint8Array(red)]));
    const answer = await fetch(`${url}/v1/ask`, { method: 'POST', body: form });
    expect(await answer.json()).toMatchObject({ answer: 'Crimson' });
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /\ngranule_queue_waiting 0\n.*\ngranule_queue_running 0\n.*\ngranule_requests_inside 0\n/s,
    );
    await knowledgeBase.close();
  },
  60_000 + RUNS * 200,
);
