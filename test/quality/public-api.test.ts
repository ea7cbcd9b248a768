import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface PublicName {
  name: string;
  file: string;
}

/** A method's head, also over several lines; indented by two, as members of a class are. */
const METHOD =
  /^ {2}(?:static |async )*(?!(?:if|for|while|switch|catch|constructor)\b)([a-z]\w*)(?:<[^>]*>)?\((?:[^()]|\([^()]*\))*\)(?:: [^{;]+)? \{$/gm;

/** Names that a module exports, each with the module that declares it. */
function exportsOf(file: string): PublicName[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const own = [
    ...text.matchAll(
      /^export (?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|interface|type|enum) (\w+)/gm,
    ),
  ].map((match) => ({ name: match[1]!, file }));
  const through = [...text.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '([^']+)'/gm)].flatMap((match) => {
    const target = join(dirname(file), match[2]!.replace(/\.js$/, '.ts'));
    const found = exportsOf(target);
    if (match[1] === '*') return found;
    return match[1]!
      .slice(1, -1)
      .split(',')
      .map((part) => part.trim().replace(/^type /, ''))
      .filter((part) => part !== '')
      .map((part) => part.split(/\s+as\s+/)[0]!)
      .map((name) => found.find((candidate) => candidate.name === name) ?? { name, file: target });
  });
  return [...own, ...through];
}

/** Some names of entries, by which the test knows that it reads them. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'src/index.ts': ['FlatIndex', 'MultiVectorIndex', 'topKSoftmax', 'runtimeInfo', 'GranuleError'],
  'src/client/index.ts': ['GranuleClient', 'GranuleError', 'AnswerBody', 'AskEvent'],
  'src/fusion/index.ts': ['fuse', 'FusionMethod', 'tuneWeights'],
};
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const ENTRIES = Object.values<string | { import: { types: string } }>(exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : entry.import.types.replace('./dist/esm', 'src').replace('.d.ts', '.ts'),
);

describe.each(ENTRIES.map((entry) => [entry, EXAMPLES[entry] ?? []] as const))(
  'what %s exports',
  (entry, examples) => {
    const names = exportsOf(entry);

    it('is found by this test', () => {
      const known = names.map(({ name }) => name);
      for (const name of examples) expect(known).toContain(name);
      for (const { file } of names) expect(existsSync(file)).toBe(true);
    });

    it.each(names)('documents $name', ({ name, file }) => {
      const declaration = new RegExp(
        `\\*/\\n(?:/\\*\\*[\\s\\S]*?\\*/\\n)?export (?:declare )?(?:abstract )?(?:async )?(?:class|function\\*?|const|let|interface|type|enum) ${name}\\b`,
      );
      expect(readFileSync(file, 'utf8')).toMatch(declaration);
    });

    it('has documented methods', () => {
      const bare = [...new Set(names.map(({ file }) => file))].flatMap((file) => {
        const text = readFileSync(file, 'utf8');
        return [...text.matchAll(METHOD)]
          .filter((match) => !/\*\/\n$/.test(text.slice(0, match.index)))
          .map((match) => `${file}:${text.slice(0, match.index).split('\n').length}: ${match[1]}`);
      });
      expect(bare).toEqual([]);
    });
  },
);
