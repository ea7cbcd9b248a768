import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/corpus/temporary-folder.js';
import { CommandProcess } from './cli-process.js';

const QRELS = 'q1 0 a 1\nq1 0 b 0\nq2 0 a 2\nq3 0 a 1\n';
const FIRST = 'q1 Q0 b 1 2 first\nq1 Q0 a 2 1 first\nq2 Q0 a 1 1 first\n';
const SECOND = 'q1 Q0 a 1 2 second\nq2 Q0 b 1 2 second\nq2 Q0 a 2 1 second\nq3 Q0 a 1 1 second\n';

const commands = new CommandProcess();
afterAll(() => commands.end());

/** Files of one test; a run's place is the third argument of `evaluate`. */
function files(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'qrels'), QRELS);
  writeFileSync(join(folder, 'first.run'), FIRST);
  writeFileSync(join(folder, 'second.run'), SECOND);
  return folder;
}

function evaluate(folder: string, ...args: string[]) {
  return commands.granule(['eval', '--qrels', 'qrels', ...args], { cwd: folder });
}

describe('granule eval', () => {
  it('prints the lines of trec_eval: official measures of the queries in both', async () => {
    const { status, stdout, stderr } = await evaluate(files(), '--run', 'first.run');
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 6)).toEqual([
      'runid                 \tall\tfirst',
      'num_q                 \tall\t2',
      'num_ret               \tall\t3',
      'num_rel               \tall\t2',
      'num_rel_ret           \tall\t2',
      'map                   \tall\t0.7500',
    ]);
    expect(lines).toHaveLength(31);
  });

  it('prints what is asked: measures, queries, all that were judged, a relevance level', async () => {
    const args = [
      '--run',
      'first.run',
      '--measures',
      'P.1',
      'map',
      '--per-query',
      '--complete',
      '--relevance-level',
      '2',
    ];
    expect(
      (await evaluate(files(), ...args)).stdout.split('\n').map((line) => line.replace(/ +/, '')),
    ).toEqual([
      ...['map\tq1\t0.0000', 'P_1\tq1\t0.0000', 'map\tq2\t1.0000', 'P_1\tq2\t1.0000'],
      ...['map\tq3\t0.0000', 'P_1\tq3\t0.0000', 'map\tall\t0.3333', 'P_1\tall\t0.3333', ''],
    ]);
  });

  it('reads files compressed by gzip, and judgements of BEIR; drops documents that are the query', async () => {
    const folder = files();
    writeFileSync(join(folder, 'test.tsv.gz'), gzipSync('query-id\tcorpus-id\tscore\nq1\ta\t1\n'));
    writeFileSync(join(folder, 'self.run.gz'), gzipSync('q1 Q0 q1 1 9 t\nq1 Q0 a 2 1 t\n'));
    const args = ['eval', '--qrels', 'test.tsv.gz', '--run', 'self.run.gz', '--measures', 'recip_rank'];
    expect((await commands.granule(args, { cwd: folder })).stdout).toBe(
      'recip_rank            \tall\t0.5000\n',
    );
    expect((await commands.granule([...args, '--drop-query-documents'], { cwd: folder })).stdout).toBe(
      'recip_rank            \tall\t1.0000\n',
    );
  });

  const several = ['--run', 'first.run', 'second.run', '--measures', 'num_q', 'map', 'relstring'];

  it('makes a table of measures and runs, in Markdown', async () => {
    const folder = files();
    expect((await evaluate(folder, ...several, '--format', 'markdown')).stdout).toBe(
      [
        '| measure | first | second |',
        '| --- | ---: | ---: |',
        '| num_q | 2 | 3 |',
        '| map | 0.7500 | 0.8333 |',
        '',
      ].join('\n'),
    );
    expect((await evaluate(folder, ...several, '--format', 'markdown', '--per-query')).stdout).toContain(
      "\n| map | q3 |  | 1.0000 |\n| relstring | q3 |  | '1' |\n",
    );
  });

  it('makes a table of comma-separated values, with all digits', async () => {
    expect((await evaluate(files(), ...several, '--format', 'csv', '--per-query')).stdout).toBe(
      [
        'measure,query,first,second',
        'map,q1,0.5,1',
        "relstring,q1,'01','1'",
        'map,q2,1,0.5',
        "relstring,q2,'2','-2'",
        'map,q3,,1',
        "relstring,q3,,'1'",
        'num_q,all,2,3',
        `map,all,0.75,${2.5 / 3}`,
        '',
      ].join('\n'),
    );
  });

  it('names runs of one tag by their files, and quotes what CSV would misread', async () => {
    const folder = files();
    writeFileSync(join(folder, 'a,"b".run'), FIRST);
    const { stdout } = await evaluate(
      folder,
      ...['--run', 'first.run', '--run', 'a,"b".run', '--measures', 'map', '--format', 'csv'],
    );
    expect(stdout).toBe('measure,query,first.run,"a,""b"".run"\nmap,all,0.75,0.75\n');
  });

  it('prints one JSON object', async () => {
    const { stdout } = await evaluate(files(), ...several, '--format', 'json', '--per-query');
    expect(stdout.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(stdout)).toEqual({
      runs: [
        {
          file: 'first.run',
          tag: 'first',
          aggregate: { num_q: 2, map: 0.75 },
          perQuery: { q1: { map: 0.5, relstring: "'01'" }, q2: { map: 1, relstring: "'2'" } },
        },
        {
          file: 'second.run',
          tag: 'second',
          aggregate: { num_q: 3, map: 2.5 / 3 },
          perQuery: {
            q1: { map: 1, relstring: "'1'" },
            q2: { map: 0.5, relstring: "'-2'" },
            q3: { map: 1, relstring: "'1'" },
          },
        },
      ],
    });
  });

  it('makes a table in LaTeX', async () => {
    const { stdout } = await evaluate(files(), ...several, '--format', 'latex');
    expect(stdout).toContain('\\begin{tabular}{lrr}\n  \\toprule\n  measure & first & second \\\\\n');
    expect(stdout).toContain('\n  num\\_q & 2 & 3 \\\\\n  map & 0.7500 & 0.8333 \\\\\n');
  });

  const compared = [
    '--run',
    'first.run',
    'second.run',
    '--measures',
    'num_q',
    'map',
    '--compare',
    '--complete',
  ];

  it('compares runs with the first, in Markdown unless told otherwise', async () => {
    const { status, stdout, stderr } = await evaluate(files(), ...compared);
    expect([status, stderr]).toEqual([0, '']);
    const [head, , row, ...rest] = stdout.split('\n');
    expect(head).toMatch(/^\| measure \| run \| baseline \| mean \| difference \|/);
    // Differences 1/2, -1/2 and 1: 6 of 8 assignments reach a sum of 1.
    expect(row).toMatch(
      /^\| map \| second \| 0\.5000 \| 0\.8333 \| 0\.3333 \| -0\.5000 \| 1\.0000 \| 0\.7500 \| 0\.7500 \| 2 \| 0 \| 1 \|$/,
    );
    expect(rest).toEqual(['']);
  });

  it('prints comparisons beside the runs in JSON', async () => {
    const { stdout } = await evaluate(files(), ...compared, '--format', 'json', '--per-query');
    const { runs, comparisons } = JSON.parse(stdout);
    expect(runs).toHaveLength(2);
    expect(runs[1].perQuery.q3.map).toBe(1);
    expect(comparisons).toMatchObject([
      {
        file: 'second.run',
        measure: 'map',
        test: { pValue: 0.75, isExact: true, permutations: 8 },
        correctedPValue: 0.75,
        confidence: 0.95,
        ...{ wins: 2, ties: 0, losses: 1 },
      },
    ]);
  });

  it('writes a report beside what it prints, with the comparison where one is asked for', async () => {
    const folder = files();
    const alone = await evaluate(folder, '--run', 'first.run', '--measures', 'map', '--html', 'one.html');
    expect(alone.stdout).toBe('map                   \tall\t0.7500\n');
    const one = readFileSync(join(folder, 'one.html'), 'utf8');
    expect(one).toContain('<h1>Evaluation of first</h1>');
    expect(one).toContain('Precision and recall');
    expect(one).not.toContain('Comparison');
    await evaluate(folder, ...compared, '--html', 'two.html');
    expect(readFileSync(join(folder, 'two.html'), 'utf8')).toContain('second less first by map');
    expect(await evaluate(folder, ...compared, '--html', 'missing/two.html')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^granule: cannot write missing\/two\.html: .* \[FILE_NOT_WRITABLE\]\n$/),
    });
  });

  it('names the run that cannot be compared, and says what helps', async () => {
    const args = ['--run', 'first.run', 'second.run', '--measures', 'map', '--compare'];
    expect(await evaluate(files(), ...args)).toMatchObject({
      status: 1,
      stdout: '',
      stderr:
        "granule: second.run: compared run 1 lacks 0 of the baseline's queries and has 1 others; evaluate both with complete [INVALID_ARGUMENT]\n",
    });
  });

  it.each<[string, string[], RegExp]>([
    ['a comparison of one run', ['--run', 'first.run', '--compare'], /needs two runs/],
    [
      'queries in a table of comparisons',
      ['--run', 'first.run', 'second.run', '--compare', '--per-query'],
      /--per-query in --format json only/,
    ],
    [
      'a comparison as trec_eval prints',
      ['--run', 'first.run', 'second.run', '--compare', '--format', 'trec_eval'],
      /trec_eval is of one run/,
    ],
    ['no run', [], /--run/],
    [
      'an unknown measure',
      ['--run', 'first.run', '--measures', 'precision'],
      /unknown measure precision; known are runid, /,
    ],
    ['an unknown format', ['--run', 'first.run', '--format', 'xml'], /trec_eval, json, csv, markdown, latex/],
    ['several runs in the format of one', ['--run', 'first.run', 'second.run'], /trec_eval is of one run/],
    ['a relevance level of 0', ['--run', 'first.run', '--relevance-level', '0'], /at least 1/],
  ])('takes %s as wrong usage', async (_, args, message) => {
    const { status, stdout, stderr } = await evaluate(files(), ...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^granule: [^\n]+ \[USAGE\]\n$/);
    expect(stderr).toMatch(message);
  });

  it.each<[string, string, string]>([
    [
      'missing.run',
      '',
      "cannot read missing.run: ENOENT: no such file or directory, open 'missing.run' [FILE_NOT_FOUND]",
    ],
    [
      'bad.run',
      'q1 Q0 a 1 1 t\nq1 Q0 b\n',
      'bad.run:2: has 3 columns; a run has 6: query, Q0, document, rank, score, tag [EVALUATION_FILE_INVALID]',
    ],
    [
      'twice.run',
      'q1 Q0 a 1 1 t\nq1 Q0 a 2 0 t\n',
      'twice.run:2: document a comes twice for query q1 [DUPLICATE_ID]',
    ],
    [
      'other.run',
      '1 Q0 a 1 1 t\n',
      'other.run: no query is both judged and in the run: 3 are judged (the first is "q1"), 1 are in the run (the first is "1") [INVALID_ARGUMENT]',
    ],
  ])('says of %s what is wrong with it', async (name, content, message) => {
    const folder = files();
    if (content !== '') writeFileSync(join(folder, name), content);
    expect(await evaluate(folder, '--run', name)).toEqual({
      status: 1,
      stdout: '',
      stderr: `granule: ${message}\n`,
    });
  });
});

const data = resolve('../shared/data/trec_eval');
const present = existsSync(data);

describe.skipIf(!present)(
  `granule eval on the files of trec_eval${present ? '' : ' (skipped: ../shared/data is absent)'}`,
  () => {
    it.each([
      [
        'out.test.aqc',
        ['qrels.test', 'results.trunc', '--measures', 'all_trec', '--per-query', '--complete'],
      ],
      [
        'out.test.aql',
        [
          'qrels.rel_level',
          'results.test',
          '--measures',
          'all_trec',
          'relstring.20',
          '--per-query',
          '--relevance-level',
          '2',
        ],
      ],
    ])('prints %s byte for byte', async (expected, [qrels, run, ...args]) => {
      const { status, stdout } = await commands.granule(['eval', '--qrels', qrels!, '--run', run!, ...args], {
        cwd: data,
      });
      expect(status).toBe(0);
      expect(stdout).toBe(readFileSync(join(data, expected), 'utf8'));
    });
  },
);
