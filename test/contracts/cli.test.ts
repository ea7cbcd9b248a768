import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { ended, granule, start } from './cli-process.js';

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

describe('the command line', () => {
  it('prints help with an example for every command, and the version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await granule(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    for (const args of [[], ...COMMANDS.map((command) => [command])]) {
      const { status, stdout, stderr } = await granule([...args, '--help']);
      expect([status, stderr], args.join()).toEqual([0, '']);
      expect(stdout).toContain(`Example`);
      expect(stdout).toContain(`$ granule ${args.join()}`);
    }
  });

  it.each<[string, string[]]>([
    ['no command', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['inspect', '--frobnicate']],
    ['a missing argument', ['ingest']],
    ['a missing option', ['ingest', 'corpus.jsonl']],
    ['one argument too many', ['inspect', 'now']],
    ['a number that is none', ['search', 'kb', 'text', '--k', 'ten']],
    ['k of 0', ['search', 'kb', 'text', '--k', '0']],
    ['neither text nor image', ['search', 'kb']],
    ['a level that is none', ['search', 'kb', 'text', '--level', 'patch']],
    ['text and image', ['search', 'kb', 'text', '--image', 'a.png']],
    ['a pipeline and a level', ['search', 'kb', 'text', '--pipeline', 'a.json', '--level', 'entity']],
    ['a pipeline for nothing', ['search', 'kb', '--pipeline', 'a.json']],
    ['a question without an image', ['ask', 'kb', 'What is it?']],
    ['an empty question', ['ask', 'kb', ' ', '--image', 'a.png']],
  ])('takes %s as wrong usage: status 2 and one line on standard error', async (_, args) => {
    const { status, stdout, stderr } = await granule(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain('[USAGE]');
  });

  it.each<[string, string[]]>([
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
  ])('reports %s with status 1 and one line on standard error', async (code, args) => {
    const { status, stdout, stderr } = await granule(args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain(`[${code}]`);
  });

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

  it('ingests, names refused lines on standard error, searches and answers', async () => {
    const folder = await source();
    const kb = join(folder, 'kb');
    const ingested = await granule(['ingest', folder, '--to', kb]);
    expect(ingested).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^2 lines taken, 1 refused\n2 entities/),
    });
    expect(ingested.stderr).toMatch(/^granule: line 3 refused: [^\n]+ \[CORPUS_LINE_INVALID\]\n$/);

    const text = await granule(['search', kb, 'Which capital lies in the hills?', '--json']);
    expect(text).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(text.stdout).hits[0].passage.id).toBe('blue-1');

    const image = await granule(['search', kb, '--image', join(folder, 'red.png'), '--json', '--k', '1']);
    const { hits } = JSON.parse(image.stdout);
    expect(hits).toHaveLength(1);
    expect(hits[0].entity.id).toBe('red');

    const byLevel = async (...args: string[]) =>
      JSON.parse((await granule(['search', kb, ...args, '--k', '1', '--json'])).stdout);
    const hills = 'Which capital lies in the hills?';
    const picture = ['--image', join(folder, 'red.png')];
    expect(await byLevel(hills, '--level', 'entity')).toMatchObject({
      text: hills,
      level: 'entity',
      hits: [{ entity: { id: 'blue', title: 'Sapphire' }, passage: { id: 'blue-1' }, probability: 1 }],
    });
    expect(await byLevel(...picture, '--level', 'image')).toMatchObject({
      level: 'image',
      hits: [{ image: 'red', entity: { id: 'red' }, matches: expect.anything() }],
    });
    expect((await byLevel(hills, '--level', 'document')).hits).toEqual([]);
    for (const [args, line] of [
      [[hills, '--level', 'entity'], / 1\. .* {2}Sapphire \(blue\)\n {5}Sapphire\. The capital/],
      [[...picture, '--level', 'image'], / 1\. .* {2}red, of Ruby\n/],
      [picture, / 1\. .* {2}Ruby \(red\)\n/],
    ] as const) {
      expect((await granule(['search', kb, ...args])).stdout).toMatch(line);
    }
    const wrong = await granule(['search', kb, hills, '--level', 'image']);
    expect([wrong.status, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toMatch(/^granule: a text finds the levels [^\n]* \[INVALID_ARGUMENT\]\n$/);

    const file = join(folder, 'pipeline.json');
    const stages = [
      { stage: 'dense', source: 'text' },
      { stage: 'sparse' },
      { stage: 'fuse', method: 'rrf' },
    ];
    writeFileSync(file, JSON.stringify(stages));
    const found = await granule(['search', kb, hills, '--pipeline', file, '--k', '1']);
    expect(found).toMatchObject({ status: 0, stderr: '' });
    expect(found.stdout).toMatch(
      /^ {2}1\. 0\.\d{4} {2}blue-1\n {5}Sapphire\. The .*\n1 dense .* ms, 2 sparse .*, 3 fuse .* ms\n$/,
    );
    writeFileSync(file, JSON.stringify([...stages, { stage: 'feedback', method: 'rocchio', m: 0 }]));
    const refused = await granule(['search', kb, hills, '--pipeline', file]);
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toBe(
      'granule: pipeline[3].m must be an integer of at least 1, got 0 [PIPELINE_INVALID]\n',
    );

    const question = 'What is the capital of this country?';
    const answered = await granule(['ask', kb, '--image', join(folder, 'blue.png'), question, '--json']);
    expect(answered.stderr).toBe('');
    expect(JSON.parse(answered.stdout)).toMatchObject({ answer: 'Azure', entity: { id: 'blue' } });

    const shown = await granule(['ask', kb, '--image', join(folder, 'blue.png'), question, '--trace']);
    expect(shown).toMatchObject({ status: 0, stderr: '' });
    expect(shown.stdout).toContain('[[Azure]]');
    expect(shown.stdout).toContain('Sapphire');
    expect(shown.stdout).not.toContain('\x1b');
  });

  it('adds to a knowledge base, keeps it in order, and filters', async () => {
    const folder = await source();
    const kb = join(folder, 'kb');
    await granule(['ingest', folder, '--to', kb]);
    const lines = [
      { entity: { id: 'red', title: 'Ruby', image: 'red.png' }, passages: [], metadata: { sea: true } },
      {
        entity: { id: 'green', title: 'Emerald' },
        passages: [{ id: 'green-1', text: 'Emerald. It lies in the hills.' }],
      },
    ];
    writeFileSync(join(folder, 'more.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    const added = await granule(['ingest', join(folder, 'more.jsonl'), '--to', kb, '--json']);
    expect(JSON.parse(added.stdout)).toMatchObject({
      taken: 2,
      added: 1,
      replaced: 1,
      entities: 3,
      passages: 2,
    });
    expect(JSON.parse((await granule(['verify', kb, '--json'])).stdout)).toMatchObject({
      ok: true,
      problems: [],
    });

    const compacted = await granule(['compact', kb]);
    expect(compacted.stdout).toBe('dropped the vectors of 1 passages and 1 images, and 0 image files\n');
    const reencoded = await granule(['reencode', kb, '--json']);
    expect(JSON.parse(reencoded.stdout)).toEqual({ passages: 2, images: 2, unencoded: [] });
    const verified = await granule(['verify', kb]);
    expect(verified).toMatchObject({
      status: 0,
      stderr: '',
      stdout: '6 vectors and 2 images checked, 0 problems\n',
    });

    const search = ['search', kb, '--image', join(folder, 'blue.png'), '--json', '--filter'];
    const { hits } = JSON.parse((await granule([...search, '{"sea": true}'])).stdout);
    expect(hits.map((hit: { entity: { id: string } }) => hit.entity.id)).toEqual(['red']);
    expect(JSON.parse((await granule([...search, '{"sea": false}'])).stdout).hits).toEqual([]);
  });

  it('ends with 1 where a knowledge base is damaged, and says what', async () => {
    const folder = await source();
    const kb = join(folder, 'kb');
    await granule(['ingest', folder, '--to', kb]);
    const images = readdirSync(join(kb, 'images'), { recursive: true }) as string[];
    writeFileSync(join(kb, 'images', images.find((name) => name.endsWith('.png'))!), 'x');
    const { status, stdout, stderr } = await granule(['verify', kb]);
    expect([status, stdout]).toEqual([1, expect.stringContaining('1 problems')]);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain('[CORPUS_INVALID]');
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

  it('prints a report that a program can read', async () => {
    const folder = await source();
    const { stdout } = await granule(['ingest', folder, '--to', join(folder, 'kb'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      taken: 2,
      refused: [{ line: 3, code: 'CORPUS_LINE_INVALID' }],
    });
  });

  it('reports a picture that is not an image', async () => {
    const folder = await source();
    const kb = join(folder, 'kb');
    await granule(['ingest', folder, '--to', kb]);
    const { status, stdout, stderr } = await granule([
      'ask',
      kb,
      '--image',
      join(folder, 'corpus.jsonl'),
      'What?',
    ]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/\[IMAGE_UNREADABLE\]\n$/);
    const missing = await granule(['search', kb, '--image', join(folder, 'none.png')]);
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('[FILE_NOT_FOUND]') });
  });

  it('runs the demo: one JSON object, examples, and pictures in the folder that it names', async () => {
    const folder = temporaryFolder();
    const kb = join(folder, 'kb');
    const output = join(folder, 'out');
    // What was learned is measured by a test of the whole demo.
    const args = ['demo', '--questions', '5', '--ablation', '0', '--output', output, '--json', '--keep', kb];
    const { status, stdout, stderr } = await granule(args);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.trim()).not.toContain('\n');
    const { questions, systems, timings, pictures, examples } = JSON.parse(stdout);
    expect(questions).toBe(5);
    expect(systems).toHaveLength(4);
    const scores = ['entityP1', 'entityMrr100', 'passageP1', 'passageP20', 'exactMatch', 'f1'];
    for (const system of systems) {
      expect(Object.keys(system)).toEqual(['name', ...scores]);
      for (const score of scores) expect(system[score]).toBeGreaterThanOrEqual(0);
    }
    expect(systems[3].entityP1).toBe(1);
    expect(timings.totalMs).toBeGreaterThan(0);
    expect(examples).toHaveLength(4);
    for (const { picture, matches, system } of examples) {
      expect(system).toMatch(/learned .*seed 1/);
      for (const name of [picture, matches])
        expect((await sharp(join(pictures, name)).metadata()).width).toBeGreaterThan(100);
    }

    writeFileSync(join(folder, 'broken.jpg'), 'no image');
    writeFileSync(join(folder, 'truth.jsonl'), '{"file":"broken.jpg","cca2":"FR"}');
    const unused = [join(folder, 'no-kb'), join(folder, 'no-pictures')] as const;
    const broken = await granule(['demo', '--pictures', folder, '--keep', unused[0], '--output', unused[1]]);
    expect([broken.status, broken.stdout]).toEqual([1, '']);
    expect(broken.stderr).toMatch(/^granule: [^\n]*broken\.jpg[^\n]* \[IMAGE_UNREADABLE\]\n$/);
    // It is known before any work is done.
    for (const path of unused) expect(existsSync(path)).toBe(false);
  }, 60_000);

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
