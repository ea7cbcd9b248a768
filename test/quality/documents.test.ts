import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.js';

interface PackageFile {
  scripts: Record<string, string>;
  bin: Record<string, string>;
}

/** Files under version control, and new ones that would be. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const documents = files.filter((file) => file.endsWith('.md'));
const packageFile = JSON.parse(read('package.json')) as PackageFile;

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

function linesWith(pattern: RegExp, among: readonly string[]): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
}

describe('docs/errors.md', () => {
  const text = read('docs/errors.md');

  it('lists the published error codes, in their order, and no other', () => {
    expect([...text.matchAll(/^### (\S+)$/gm)].map((match) => match[1])).toEqual([...ERROR_CODES]);
  });

  it.each(ERROR_CODES)('says of %s when it comes, what to do, and what its details hold', (code) => {
    const section = text.split(`### ${code}\n`)[1]?.split(/^##/m)[0];
    for (const part of ['When: ', 'What to do: ', 'Details: ']) expect(section).toContain(`\n${part}`);
  });
});

describe('the documents', () => {
  it('link to files that exist', () => {
    const broken = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1]!)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('link to headings that exist', () => {
    const broken = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)#\s]*\.md)?#([^)]+)\)/g)]
        .filter((match) => !headings(join(dirname(file), match[1] ?? '')).includes(match[2]!))
        .map((match) => `${file}: ${match[0]}`),
    );
    expect(broken).toEqual([]);

    function headings(target: string): string[] {
      const source = target.endsWith('.md') ? target : 'README.md';
      return [...read(source).matchAll(/^#+ (.+)$/gm)].map((match) =>
        match[1]!
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      );
    }
  });

  it('name npm scripts that exist', () => {
    const unknown = documents.flatMap((file) =>
      [...read(file).matchAll(/npm run ([\w:-]+)/g)]
        .filter((match) => !(match[1]! in packageFile.scripts))
        .map((match) => `${file}: ${match[0]}`),
    );
    expect(unknown).toEqual([]);
  });

  it('name source files and folders that exist', () => {
    const paths = /`((?:src|native|test|scripts|docs|\.ci)\/[\w./-]+|[\w-]+\.(?:gyp|txt))`/g;
    const missing = ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'docs/contributing.md'].flatMap(
      (file) => [...read(file).matchAll(paths)].map((match) => match[1]!).filter((path) => !existsSync(path)),
    );
    expect(missing).toEqual([]);
  });
});

describe('README.md', () => {
  it.each(['npm ci && npx granule demo', 'npm ci && npm test'])('gives the command %s', (command) => {
    expect(
      read('README.md')
        .split('\n')
        .map((line) => line.trim()),
    ).toContain(command);
  });

  it('names subcommands of granule that exist', () => {
    const program = linesWith(/\.command\(/, filesUnder('src/cli')).join('\n');
    const named = new Set(
      [...read('README.md').matchAll(/(?:npx |`|^ *\$? *)granule ([a-z]+)/gm)].map((m) => m[1]!),
    );
    expect(named).toContain('demo');
    expect([...named].filter((name) => !program.includes(`'${name}`))).toEqual([]);
  });
});

describe('the sources', () => {
  const written = files.filter((file) => /\.(ts|cts|mjs|h|cc|cu|cuh|md|json|gyp|txt)$/.test(file));

  it('hold no path of the machine they were written on', () => {
    const mine = new RegExp(`(?:^|[\\s'"\`(=])(?:${resolve('.')}|/root|/home/[a-z]|/Users/[A-Za-z])`);
    expect(linesWith(mine, written).filter((line) => !line.startsWith('test/quality/'))).toEqual([]);
  });

  it('hold no note of unfinished work', () => {
    const note = new RegExp(`\\b(?:${'TO'}DO|${'FIX'}ME)\\b`);
    expect(
      linesWith(
        note,
        written.filter((file) => file !== 'package-lock.json'),
      ),
    ).toEqual([]);
  });

  it('stay under 400 lines a file', () => {
    const long = written
      .filter((file) => /\.(ts|cts|mjs|h|cc|cu|cuh)$/.test(file))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  it('do not write to the console from the library', () => {
    const library = files.filter((file) => file.startsWith('src/') && !/^src\/(cli|demo)\//.test(file));
    expect(linesWith(/^(?!\s*(?:\*|\/\/)).*\bconsole\./, library)).toEqual([]);
  });

  it('draw random numbers from seeds only', () => {
    expect(linesWith(/\bMath\.random\b/, filesUnder('src'))).toEqual([]);
  });
});

function filesUnder(folder: string): string[] {
  return files.filter((file) => file.startsWith(`${folder}/`));
}
