/** `granule serve` as a process: over a knowledge base of its own, until it is told to stop. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GranuleClient } from '../../src/client/index.js';
import { openMiRag } from '../../src/systems/open-mirag.js';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { type Ended, ended, granule, start } from './cli-process.js';
import { makeKnowledgeBase } from './knowledge-base-folder.js';

/** Starts the server and waits until it listens. */
async function serving(kb: string, ...args: string[]) {
  const child = start(['serve', kb, '--port', '0', '--drain-delay', '50', ...args]);
  const left: Promise<Ended> = ended(child);
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: string) => {
      const found = /"url":"([^"]+)"/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    left.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { child, left, url };
}

describe('granule serve', () => {
  it('answers as the library does, and stops in good order', async () => {
    const { kb, red } = await makeKnowledgeBase(temporaryFolder());
    const { child, left, url } = await serving(kb);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const client = new GranuleClient({ url });
    const question = 'What is the capital of it?';
    const answered = await client.ask({ question, image: red });
    const opened = await openMiRag(kb);
    const expected = await opened.mirag.ask({ question, image: red });
    expect(answered).toMatchObject({
      answer: expected.answer,
      span: expected.span,
      probabilities: expected.probabilities,
      entity: { id: 'red', images: ['red'], metadata: { colour: 'red' } },
      trace: expected.trace,
    });
    expect(answered.entities.map(({ score }) => score)).toEqual(expected.entities.map(({ score }) => score));
    expect(answered.entities[0]!.matches).toHaveLength(expected.entities[0]!.matches!.length);
    opened.dispose();
    expect(JSON.stringify(answered)).not.toContain(kb);

    expect(Buffer.from(await (await client.image('red'))!.arrayBuffer()).equals(red)).toBe(true);
    expect(await client.status()).toMatchObject({
      writable: false,
      counts: { entities: 2, documents: 0, passages: 2, images: 2 },
    });
    await expect(client.ask({ question, filter: { a: 1 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(client.ask({ question, entity: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.search({ text: 'a', level: 'entity' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });

    const last = client.ask({ question, image: red });
    await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGTERM');
    expect((await last).answer).toBe(answered.answer);
    const { status, stdout, stderr } = await left;
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string });
    expect(lines.filter(({ msg }) => msg !== 'request').map(({ msg }) => msg)).toEqual([
      'listening',
      'draining',
      'stopped',
    ]);
    expect(stdout).not.toContain('capital');
  });

  it('takes tokens from a file, and needs them beyond loopback', async () => {
    const folder = temporaryFolder();
    const { kb } = await makeKnowledgeBase(folder);
    const file = join(folder, 'tokens.json');
    writeFileSync(file, JSON.stringify({ read: 'r'.repeat(40) }));
    chmodSync(file, 0o644);
    const loose = await granule(['serve', kb, '--token-file', file]);
    expect([loose.status, loose.stdout]).toEqual([1, '']);
    expect(loose.stderr).toContain('[TOKEN_FILE_INVALID]');
    chmodSync(file, 0o600);
    const bare = await granule(['serve', kb, '--host', '0.0.0.0', '--port', '0']);
    expect([bare.status, bare.stdout]).toEqual([1, '']);
    expect(bare.stderr).toContain('[INVALID_ARGUMENT]');
    const { child, left, url } = await serving(kb, '--host', '0.0.0.0', '--token-file', file, '--max-k', '3');
    const local = url.replace('0.0.0.0', '127.0.0.1');
    await expect(new GranuleClient({ url: local }).status()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const client = new GranuleClient({ url: local, token: 'r'.repeat(40) });
    expect((await client.search({ text: 'Ruby', k: 3 })).hits).toHaveLength(2);
    await expect(client.search({ text: 'Ruby', k: 4 })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    child.kill('SIGINT');
    expect((await left).status).toBe(0);
  });

  it.each([
    ['--port', '70000'],
    ['--max-k', '0'],
    ['--deadline', 'soon'],
  ])('takes %s %s as wrong usage', async (...args) => {
    const { status, stderr } = await granule(['serve', 'kb', ...args]);
    expect(status).toBe(2);
    expect(stderr).toContain('[USAGE]');
  });
});
