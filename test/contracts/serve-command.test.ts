/** `granule serve` as a process: over a knowledge base of its own, until it is told to stop. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GranuleClient } from '../../src/client/index.js';
import { openMiRag } from '../../src/systems/open-mirag.js';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { type Ended, ended, granule, start } from './cli-process.js';
import { makeKnowledgeBase } from './knowledge-base-folder.js';

/** Starts the server and waits until it listens. */
async function serving(kb: string, ...args: string[]) {
  const child = start(['serve', kb, '--port', '0', '--drain-delay', '50', ...args]);
  // A test that fails must not leave a server behind.
  onTestFinished(() => void child.kill('SIGKILL'));
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

// A server is a process, and its knowledge base takes seconds on a busy machine.
describe('granule serve', { timeout: 120_000 }, () => {
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
    await opened.dispose();
    expect(JSON.stringify(answered)).not.toContain(kb);

    expect(Buffer.from(await (await client.image('red'))!.arrayBuffer()).equals(red)).toBe(true);
    expect(await client.status()).toMatchObject({
      writable: false,
      counts: { entities: 2, documents: 0, passages: 2, images: 2 },
    });
    const blue = await client.ask({ question, image: red, filter: { colour: 'blue' } });
    expect([blue.answer, blue.entities.length]).toEqual(['Azure', 1]);
    const { hits } = await client.search({ text: 'capital', filter: { colour: { in: ['blue', 'green'] } } });
    expect(hits).toMatchObject([{ passage: { id: 'blue-1' } }]);
    await expect(client.ask({ question, filter: { colour: { like: 'b' } } })).rejects.toMatchObject({
      code: 'METADATA_FILTER_INVALID',
      details: { status: 400 },
    });
    await expect(client.ask({ question, entity: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await client.search({ text: 'capital by the sea', level: 'entity', k: 1 })).toMatchObject({
      level: 'entity',
      hits: [{ entity: { id: 'red', images: ['red'] }, passage: { id: 'red-1' }, probability: 1 }],
    });
    const shown = await client.search({ image: red, level: 'image', filter: { colour: 'red' } });
    expect(shown).toMatchObject({ level: 'image', hits: [{ image: 'red', entity: { id: 'red' } }] });
    if (shown.level === 'image') expect(shown.hits[0]!.matches).toHaveLength(64);
    for (const query of [
      { text: 'a', level: 'image' },
      { image: red, level: 'document' },
    ] as const) {
      await expect(client.search(query)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining("an image 'entity' and 'image'"),
        details: { status: 400 },
      });
    }

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

  it('stores and deletes documents for who has the token, and finds them at once', async () => {
    const folder = temporaryFolder();
    const { kb } = await makeKnowledgeBase(folder);
    const file = join(folder, 'tokens.json');
    writeFileSync(file, JSON.stringify({ write: 'w'.repeat(40) }));
    chmodSync(file, 0o600);
    const { child, left, url } = await serving(kb, '--token-file', file);
    const client = new GranuleClient({ url, token: 'w'.repeat(40) });
    const before = await client.status();
    expect(before).toMatchObject({ writable: true, counts: { entities: 2, documents: 0, passages: 2 } });

    // All at once: a change of an entity must not undo another.
    const texts = [
      'The national bird of Ruby is the kiwi.',
      'The president of Ruby is Ann.',
      'Ruby has two moons.',
    ];
    const stored = await Promise.all(
      texts.map((text, i) =>
        client.putDocument(`doc/${i}`, { entity: { id: 'red' }, text, metadata: { i } }),
      ),
    );
    expect(stored.map(({ created }) => created)).toEqual([true, true, true]);
    expect(await client.status()).toMatchObject({
      corpusVersion: Math.max(...stored.map(({ version }) => version)),
      counts: { entities: 2, documents: 3, passages: 5, images: 2 },
    });
    expect(await client.entity('red')).toMatchObject({
      title: 'Ruby',
      metadata: { colour: 'red' },
      images: ['red'],
    });
    expect(await client.document('doc/0')).toMatchObject({
      entity: 'red',
      text: texts[0],
      metadata: { i: 0 },
      passages: [{ id: 'doc/0#1', document: 'doc/0', start: 0, end: texts[0]!.length }],
    });
    const { hits } = await client.search({ text: 'national bird', k: 1 });
    expect(hits).toMatchObject([{ passage: { id: 'doc/0#1', document: 'doc/0' } }]);
    const documents = await client.search({ text: 'national bird', level: 'document', k: 9 });
    expect(documents.hits).toHaveLength(3);
    expect(documents.hits[0]).toMatchObject({
      document: { id: 'doc/0', entity: 'red', metadata: { i: 0 } },
      passage: { id: 'doc/0#1', document: 'doc/0' },
      score: hits[0]!.score,
    });

    const text = 'The national bird of Ruby is the owl.';
    expect(await client.putDocument('doc/0', { entity: { id: 'red' }, text })).toMatchObject({
      created: false,
    });
    expect((await client.document('doc/0'))!.text).toBe(text);
    await client.putDocument('new', {
      entity: { id: 'green', title: 'Emerald' },
      text: 'Emerald lies in the south.',
    });
    expect(await client.entity('green')).toEqual({ id: 'green', title: 'Emerald', images: [] });
    for (const [id, entity, code] of [
      ['other', { id: 'nobody' }, 'INVALID_ARGUMENT'],
      ['doc/0', { id: 'blue' }, 'DUPLICATE_ID'],
    ] as const) {
      await expect(client.putDocument(id, { entity, text: 'a' })).rejects.toMatchObject({ code });
    }
    expect([await client.deleteDocument('doc/0'), await client.deleteDocument('doc/0')]).toEqual([
      true,
      false,
    ]);
    expect(await client.document('doc/0')).toBeUndefined();
    expect((await client.search({ text: 'national bird', k: 9 })).hits).toHaveLength(5);
    child.kill('SIGTERM');
    expect((await left).status).toBe(0);
    // What was acknowledged is on the disk.
    expect((await granule(['verify', kb])).status).toBe(0);
  });

  it('has every option in the documents, with its default', async () => {
    const { stdout } = await granule(['serve', '--help']);
    const options = [
      ...stdout.replace(/\n {10,}/g, ' ').matchAll(/^ {2}(--[\w-]+)(?:.*\(default: "?([\w.]+)"?\))?/gm),
    ];
    const cli = readFileSync('docs/cli.md', 'utf8').split('\n## granule serve\n')[1]!.split('\n## ')[0]!;
    const documented = new Map(
      [...cli.matchAll(/^\| `(--[\w-]+)[^|]*\| *([^|]*?) *\|/gm)].map((row) => [row[1]!, row[2]!]),
    );
    expect(options.length).toBeGreaterThan(15);
    expect([...documented.keys()].sort()).toEqual(options.map(([, flag]) => flag).sort());
    for (const [, flag, value] of options) {
      if (value !== undefined && flag !== '--concurrency')
        expect([flag, documented.get(flag!)]).toEqual([flag, value]);
    }
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
