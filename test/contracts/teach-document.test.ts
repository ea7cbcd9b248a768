import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { commandsInOneProcess } from './cli-process.js';

const DOCUMENT = readFileSync('docs/teach-your-retriever.md', 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What stands in the document's blocks of one kind, in order. */
const blocks = (kind: string) =>
  [...DOCUMENT.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) => text!);

/** Commands with what they print, as the document shows them. */
const SHOWN = blocks('console').flatMap((block) =>
  [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, command, output]) => ({
    command: command!,
    output: output!,
  })),
);

const words = (command: string) => [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, a, b]) => a ?? b!);

it('docs/teach-your-retriever.md prints what it shows, but for times', { timeout: 60_000 }, async () => {
  for (const block of blocks('js')) {
    const [, name] = /^\/\/ (\S+\.mjs)\n/.exec(block)!;
    writeFileSync(join(folder, name!), block);
  }
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(process.cwd(), join(folder, 'node_modules', 'granule'));
  const ended = await commandsInOneProcess(
    SHOWN.map(({ command }) => words(command)),
    folder,
  );
  const printed = ended.map(({ stdout, stderr }) => (stdout + stderr).replace(/^.* [\d.]+ ms\n/gm, ''));
  expect(SHOWN.map(({ command }, i) => ({ command, output: printed[i] }))).toEqual(SHOWN);
  expect(SHOWN.length).toBeGreaterThan(6);
  const lines = readFileSync(join(folder, 'train.jsonl'), 'utf8').split('\n');
  expect(DOCUMENT).toContain(`    ${lines[0]}\n    ${lines[1]}\n`);
  expect(lines).toHaveLength(40);
});
