import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import {
  commandsInOneProcess,
  type Ended,
  ended,
  granule,
  granuleInOneProcess,
  start,
} from './cli-process.js';

const COMMANDS = [
  'demo',
  'ingest',
  'ask',
  'search',
  'verify',
  'compact',
  'reencode',
  'serve',
  'mcp',
  'eval',
  'export',
  'inspect',
];
const ONE_LINE = /^granule: [^\n]+ \[[A-Z_]+\]\n$/;

async function source(): Promise<string> {
  const folder = temporaryFolder();
  for (const [name, background] of [
    ['red', '#e02020'],
    ['blue', '#2040e0'],
  ] as const) {
    const image = sharp({ create: { width: 96, height: 72, channels: 3, background } });
    writeFileSync(join(folder, `${name}.png`), await image.png().toBuffer());
  }
  const line = (id: string, title: string, text: string) =>
    JSON.stringify({
      entity: { id, title, image: `${id}.png` },
      passages: [{ id: `${id}-1`, text: `${title}. ${text}` }],
    });
  const lines = [
    line('red', 'Ruby', 'The capital of Ruby is Crimson. It lies by the sea.'),
    line('blue', 'Sapphire', 'The capital of Sapphire is Azure. It lies in the hills.'),
    '{"broken',
  ];
  writeFileSync(join(folder, 'corpus.jsonl'), lines.join('\n'));
  return folder;
}

const MISTAKES: Readonly<Record<string, readonly string[]>> = {
  'an unknown command': ['frobnicate'],
  'an unknown option': ['inspect', '--frobnicate'],
  'a missing argument': ['ingest'],
  'a missing option': ['ingest', 'corpus.jsonl'],
  'one argument too many': ['inspect', 'now'],
  'a number that is none': ['search', 'kb', 'text', '--k', 'ten'],
  'k of 0': ['search', 'kb', 'text', '--k', '0'],
  'neither text nor image': ['search', 'kb'],
  'a level that is none': ['search', 'kb', 'text', '--level', 'patch'],
  'text and image': ['search', 'kb', 'text', '--image', 'a.png'],
  'a pipeline and a level': ['search', 'kb', 'text', '--pipeline', 'a.json', '--level', 'entity'],
  'a pipeline for nothing': ['search', 'kb', '--pipeline', 'a.json'],
  'a question without an image': ['ask', 'kb', 'What is it?'],
  'an empty question': ['ask', 'kb', ' ', '--image', 'a.png'],
};

/** Command lines that are right, about what is not there or not as it should be. */
const FAILURES: readonly [string, readonly string[]][] = [
  ['FILE_NOT_FOUND', ['ingest', '/nowhere/corpus.jsonl', '--to', '/tmp/granule-nowhere']],
  ['FILE_NOT_WRITABLE', ['ingest', 'package.json', '--to', 'package.json/kb']],
  ['FILE_NOT_WRITABLE', ['demo', '--questions', '1', '--output', 'package.json']],
  ['CORPUS_EXISTS', ['ingest', 'package.json', '--to', 'src']],
  ['CORPUS_NOT_FOUND', ['search', '/nowhere', 'text']],
  ['CORPUS_NOT_FOUND', ['ask', '/nowhere', '--image', 'a.png', 'What?']],
  ['CORPUS_NOT_FOUND', ['verify', '/nowhere']],
  ['CORPUS_NOT_FOUND', ['compact', '/nowhere']],
  ['CORPUS_NOT_FOUND', ['reencode', '/nowhere']],
  ['METADATA_FILTER_INVALID', ['search', '/nowhere', 'text', '--filter', '{"a": {"like": 1}}']],
  ['METADATA_FILTER_INVALID', ['search', '/nowhere', 'text', '--filter', '{']],
  ['FILE_NOT_FOUND', ['demo', '--pictures', '/nowhere']],
  ['FILE_NOT_FOUND', ['search', '/nowhere', 'text', '--pipeline', '/nowhere/pipeline.json']],
  ['PIPELINE_INVALID', ['search', '/nowhere', 'text', '--pipeline', 'README.md']],
  ['CORPUS_NOT_FOUND', ['search', '/nowhere', 'text', '--pipeline', 'package.json']],
  ['TRAINING_FILE_INVALID', ['export', 'package.json', '--model', 'package.json', '--to', 'a.onnx']],
];

function expectMistake({ status, stdout, stderr }: Ended): void {
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(ONE_LINE);
  expect(stderr).toContain('[USAGE]');
}

describe('the command line', () => {
  const helped = ['', ...COMMANDS];
  let helps: Ended[];
  let mistakes: Record<string, Ended>;
  let failures: Ended[];
  beforeAll(async () => {
    const all = await commandsInOneProcess([
      ...helped.map((command) => ['granule', ...command.split(' ').filter(Boolean), '--help']),
      ...Object.values(MISTAKES).map((args) => ['granule', ...args]),
      ...FAILURES.map(([, args]) => ['granule', ...args]),
    ]);
    helps = all.splice(0, helped.length);
    mistakes = Object.fromEntries(Object.keys(MISTAKES).map((name) => [name, all.shift()!]));
    failures = all;
  }, 120_000);

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await granule(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each(helped.map((command, place) => [command, place] as const))(
    'prints help with an example: granule %s',
    (command, place) => {
      const { status, stdout, stderr } = helps[place]!;
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Example');
      expect(stdout).toContain(`$ granule ${command}`);
    },
  );

  it('takes no command as wrong usage, and so does the process', async () => {
    expectMistake(await granule([]));
  });

  it.each(Object.keys(MISTAKES))(
    'takes %s as wrong usage: status 2 and one line on standard error',
    (name) => {
      expectMistake(mistakes[name]!);
    },
  );

  it.each(FAILURES.map(([code, args], place) => [code, args.join(' '), place] as const))(
    'reports %s with status 1 and one line on standard error: granule %s',
    (code, _, place) => {
      const { status, stdout, stderr } = failures[place]!;
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(ONE_LINE);
      expect(stderr).toContain(`[${code}]`);
    },
  );

  it('says which instruction set cannot run here', async () => {
    const { status, stderr } = await granule(['inspect'], { env: { GRANULE_ISA: 'mmx' } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/ \[ISA_UNSUPPORTED\]\n$/);
  });

  it('inspects', async () => {
    const json = await granule(['inspect', '--json']);
    expect(json).toMatchObject({ status: 0, stderr: '' });
    const info = JSON.parse(json.stdout);
    const { stdout } = await granule(['inspect']);
    expect(stdout).toContain(`${info.isa}: ${info.isaReason}`);
    for (const symbol of Object.values(info.kernels)) expect(stdout).toContain(symbol);
  });

  it('ingests, names refused lines on standard error, searches and answers', {
    timeout: 120_000,
  }, async () => {
    const folder = await source();
    const kb = join(folder, 'kb');
    const hills = 'Which capital lies in the hills?';
    const [red, blue] = [join(folder, 'red.png'), join(folder, 'blue.png')];
    const question = 'What is the capital of this country?';
    const stages = [
      { stage: 'dense', source: 'text' },
      { stage: 'sparse' },
      { stage: 'fuse', method: 'rrf' },
    ];
    const pipelines = {
      good: stages,
      bad: [...stages, { stage: 'feedback', method: 'rocchio', m: 0 }],
    };
    for (const [name, value] of Object.entries(pipelines))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(value));

    const left = await granuleInOneProcess({
      ingested: ['ingest', folder, '--to', kb],
      report: ['ingest', folder, '--to', join(folder, 'kb-2'), '--json'],
      text: ['search', kb, hills, '--json'],
      picture: ['search', kb, '--image', red, '--json', '--k', '1'],
      entity: ['search', kb, hills, '--level', 'entity', '--k', '1', '--json'],
      image: ['search', kb, '--image', red, '--level', 'image', '--k', '1', '--json'],
      document: ['search', kb, hills, '--level', 'document', '--k', '1', '--json'],
      shownEntity: ['search', kb, hills, '--level', 'entity'],
      shownImage: ['search', kb, '--image', red, '--level', 'image'],
      shownPicture: ['search', kb, '--image', red],
      wrongLevel: ['search', kb, hills, '--level', 'image'],
      pipeline: ['search', kb, hills, '--pipeline', join(folder, 'good.json'), '--k', '1'],
      wrongPipeline: ['search', kb, hills, '--pipeline', join(folder, 'bad.json')],
      answered: ['ask', kb, '--image', blue, question, '--json'],
      shown: ['ask', kb, '--image', blue, question, '--trace'],
      noImage: ['ask', kb, '--image', join(folder, 'corpus.jsonl'), 'What?'],
      noFile: ['search', kb, '--image', join(folder, 'none.png')],
    });

    expect(left.ingested).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^2 lines taken, 1 refused\n2 entities/),
    });
    expect(left.ingested.stderr).toMatch(/^granule: line 3 refused: [^\n]+ \[CORPUS_LINE_INVALID\]\n$/);
    expect(JSON.parse(left.report.stdout)).toMatchObject({
      taken: 2,
      refused: [{ line: 3, code: 'CORPUS_LINE_INVALID' }],
    });

    expect(left.text).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(left.text.stdout).hits[0].passage.id).toBe('blue-1');
    const { hits } = JSON.parse(left.picture.stdout);
    expect(hits).toHaveLength(1);
    expect(hits[0].entity.id).toBe('red');
    expect(JSON.parse(left.entity.stdout)).toMatchObject({
      text: hills,
      level: 'entity',
      hits: [{ entity: { id: 'blue', title: 'Sapphire' }, passage: { id: 'blue-1' }, probability: 1 }],
    });
    expect(JSON.parse(left.image.stdout)).toMatchObject({
      level: 'image',
      hits: [{ image: 'red', entity: { id: 'red' }, matches: expect.anything() }],
    });
    expect(JSON.parse(left.document.stdout).hits).toEqual([]);
    expect(left.shownEntity.stdout).toMatch(/ 1\. .* {2}Sapphire \(blue\)\n {5}Sapphire\. The capital/);
    expect(left.shownImage.stdout).toMatch(/ 1\. .* {2}red, of Ruby\n/);
    expect(left.shownPicture.stdout).toMatch(/ 1\. .* {2}Ruby \(red\)\n/);
    expect(left.wrongLevel).toMatchObject({ status: 1, stdout: '' });
    expect(left.wrongLevel.stderr).toMatch(
      /^granule: a text finds the levels [^\n]* \[INVALID_ARGUMENT\]\n$/,
    );

    expect(left.pipeline).toMatchObject({ status: 0, stderr: '' });
    expect(left.pipeline.stdout).toMatch(
      /^ {2}1\. 0\.\d{4} {2}blue-1\n {5}Sapphire\. The .*\n1 dense .* ms, 2 sparse .*, 3 fuse .* ms\n$/,
    );
    expect(left.wrongPipeline).toEqual({
      status: 1,
      stdout: '',
      stderr: 'granule: pipeline[3].m must be an integer of at least 1, got 0 [PIPELINE_INVALID]\n',
    });

    expect(left.answered.stderr).toBe('');
    expect(JSON.parse(left.answered.stdout)).toMatchObject({ answer: 'Azure', entity: { id: 'blue' } });
    expect(left.shown).toMatchObject({ status: 0, stderr: '' });
    expect(left.shown.stdout).toContain('[[Azure]]');
    expect(left.shown.stdout).toContain('Sapphire');
    expect(left.shown.stdout).not.toContain('\x1b');

    expect(left.noImage).toMatchObject({ status: 1, stdout: '' });
    expect(left.noImage.stderr).toMatch(/\[IMAGE_UNREADABLE\]\n$/);
    expect(left.noFile).toMatchObject({ status: 1, stderr: expect.stringContaining('[FILE_NOT_FOUND]') });
  });

  it('adds to a knowledge base, keeps it in order, and filters', { timeout: 120_000 }, async () => {
    const folder = await source();
    const kb = join(folder, 'kb');
    const lines = [
      { entity: { id: 'red', title: 'Ruby', image: 'red.png' }, passages: [], metadata: { sea: true } },
      {
        entity: { id: 'green', title: 'Emerald' },
        passages: [{ id: 'green-1', text: 'Emerald. It lies in the hills.' }],
      },
    ];
    writeFileSync(join(folder, 'more.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    // Each in a process of its own, as users give them: what one has written the next one reads.
    expect(await granule(['ingest', folder, '--to', kb])).toMatchObject({ status: 0 });
    const added = await granule(['ingest', join(folder, 'more.jsonl'), '--to', kb, '--json']);
    expect(JSON.parse(added.stdout)).toMatchObject({
      taken: 2,
      added: 1,
      replaced: 1,
      entities: 3,
      passages: 2,
    });
    const search = ['search', kb, '--image', join(folder, 'blue.png'), '--json', '--filter'];
    const left = await granuleInOneProcess({
      verifiedBefore: ['verify', kb, '--json'],
      compacted: ['compact', kb],
      reencoded: ['reencode', kb, '--json'],
      verified: ['verify', kb],
      bySea: [...search, '{"sea": true}'],
      inland: [...search, '{"sea": false}'],
    });
    expect(JSON.parse(left.verifiedBefore.stdout)).toMatchObject({ ok: true, problems: [] });
    expect(left.compacted.stdout).toBe('dropped the vectors of 1 passages and 1 images, and 0 image files\n');
    expect(JSON.parse(left.reencoded.stdout)).toEqual({ passages: 2, images: 2, unencoded: [] });
    expect(left.verified).toEqual({
      status: 0,
      stderr: '',
      stdout: '6 vectors and 2 images checked, 0 problems\n',
    });
    const { hits } = JSON.parse(left.bySea.stdout);
    expect(hits.map((hit: { entity: { id: string } }) => hit.entity.id)).toEqual(['red']);
    expect(JSON.parse(left.inland.stdout).hits).toEqual([]);

    const images = readdirSync(join(kb, 'images'), { recursive: true }) as string[];
    writeFileSync(join(kb, 'images', images.find((name) => name.endsWith('.png'))!), 'x');
    const damaged = await granule(['verify', kb]);
    expect(damaged).toMatchObject({ status: 1, stdout: expect.stringContaining('1 problems') });
    expect(damaged.stderr).toMatch(ONE_LINE);
    expect(damaged.stderr).toContain('[CORPUS_INVALID]');
  });

  it('removes a knowledge base that it made and could put nothing into', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'bad.jsonl'), '{\n');
    const { status, stderr } = await granule([
      'ingest',
      join(folder, 'bad.jsonl'),
      '--to',
      join(folder, 'kb'),
    ]);
    expect([status, readdirSync(folder)]).toEqual([1, ['bad.jsonl']]);
    expect(stderr).toContain('[CORPUS_EMPTY]');
  });

  // What a whole demo prints and measures is checked by scripts/check-demo.mjs.
  it('reports a picture of the demo that cannot be read before any work is done', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'broken.jpg'), 'no image');
    writeFileSync(join(folder, 'truth.jsonl'), '{"file":"broken.jpg","cca2":"FR"}');
    const unused = [join(folder, 'no-kb'), join(folder, 'no-pictures')] as const;
    const broken = await granule(['demo', '--pictures', folder, '--keep', unused[0], '--output', unused[1]]);
    expect([broken.status, broken.stdout]).toEqual([1, '']);
    expect(broken.stderr).toMatch(/^granule: [^\n]*broken\.jpg[^\n]* \[IMAGE_UNREADABLE\]\n$/);
    for (const path of unused) expect(existsSync(path)).toBe(false);
  });

  it('ends with 130 after Ctrl-C and leaves no half of a knowledge base', async () => {
    const folder = temporaryFolder();
    const child = start(['demo', '--keep', join(folder, 'kb'), '--output', join(folder, 'pictures')]);
    const end = ended(child);
    // Once it works: a signal that comes before the program listens ends it at once.
    const working = setInterval(() => {
      if (!existsSync(join(folder, 'pictures'))) return;
      clearInterval(working);
      child.kill('SIGINT');
    }, 50);
    expect(await end).toMatchObject({ status: 130, stderr: 'granule: interrupted [ABORTED]\n' });
    expect(existsSync(join(folder, 'kb'))).toBe(false);
  });

  it('ends quietly where nobody reads its output', async () => {
    const child = start(['inspect']);
    child.stdout.destroy();
    const { status, stderr } = await ended(child);
    expect([status, stderr]).toEqual([0, '']);
  });
});
