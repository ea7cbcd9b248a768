/**
 * Runs the whole demo and holds its scores to what the README promises of them.
 *
 *     node scripts/check-demo.mjs [questions, default 500] [of these for the ablation, default 160]
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = Number(process.argv[2] ?? 500);
const ablated = Number(process.argv[3] ?? 160);
const folder = mkdtempSync(join(tmpdir(), 'granule-demo-'));
const output = join(folder, 'pictures');
const kb = join(folder, 'kb');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const program = join(root, 'dist/esm/cli/main.js');
const { code, output: printed } = await runCommand(
  process.execPath,
  [
    program,
    'demo',
    '--json',
    '--output',
    output,
    '--keep',
    kb,
    '--questions',
    String(wanted),
    '--ablation',
    String(ablated),
  ],
  {
    cwd: root,
  },
);
if (code !== 0) {
  console.log(printed);
  process.exit(1);
}

const { questions, systems, timings, pictures, examples, ablation } = JSON.parse(printed);
const [alone, withoutMaxSim, withMaxSim, gold] = systems;
const scores = ['entityP1', 'entityMrr100', 'passageP1', 'passageP20', 'exactMatch', 'f1'];
const widths = await Promise.all(
  examples
    .flatMap(({ picture, matches }) => [picture, matches])
    .map(async (name) => (name === undefined ? 0 : (await sharp(join(pictures, name)).metadata()).width)),
);
const checks = [
  ['one line is printed, and nothing on standard error', printed.indexOf('\n') === printed.length - 1],
  ['the knowledge base is kept', existsSync(kb)],
  ['the four systems have their scores', systems.length === 4 && systems.every(hasScores)],
  ['the time is told', timings.totalMs > 0],
  ['a picture of several flags follows four of one', examples.length === 5],
  ['each says what it was answered with', examples.every(({ system }) => /learned .*seed 1/.test(system))],
  ['the pictures lie in the folder', widths.length === 10 && widths.every((width) => width > 100)],
  ['as many questions as were asked for', questions === wanted],
  ['(c) answers at least 0.85 exactly', withMaxSim.exactMatch >= 0.85],
  ['(a) stays far below', alone.exactMatch <= 0.15],
  ['late interaction finds more entities', withMaxSim.entityP1 > withoutMaxSim.entityP1],
  ['late interaction answers more questions', withMaxSim.exactMatch > withoutMaxSim.exactMatch],
  ['the gold entity is the ceiling', gold.exactMatch >= withMaxSim.exactMatch && gold.entityP1 === 1],
];

function hasScores(system) {
  return (
    Object.keys(system).join() === ['name', ...scores].join() && scores.every((score) => system[score] >= 0)
  );
}

const rows = new Map(ablation.rows.map((row) => [row.name, row]));
const [untrained, entityTower, queryTower, patchLevel, last] = [
  ...['untrained', 'entity tower', 'query tower', 'patch-level', 'GRPO'].map((name) => rows.get(name)),
];
const gain = (column, from, to) => to[column].mean - from[column].mean;
checks.push(
  ['the ablation has a row per stage', rows.size === 7 && ablation.seeds.length === 3],
  ['half as many questions are about several flags', ablation.severalFlags === Math.ceil(ablated / 2)],
  ['titles are found across modalities', entityTower.oneFlagP1.mean >= 0.5],
  ['trained queries find more passages', gain('passageP1', entityTower, queryTower) >= 0.1],
  ['places find more of several flags', gain('severalFlagsP1', untrained, patchLevel) >= 0.2],
  ['the whole answers more than without training', gain('exactMatch', untrained, last) >= 0.08],
  ['pictures of one flag lose nothing', gain('oneFlagP1', untrained, last) >= -0.03],
);
for (const row of ablation.rows) console.log(JSON.stringify(row));
for (const system of systems) console.log(JSON.stringify(system));
const failed = checks.filter(([, holds]) => !holds);
for (const [what] of failed) console.log(`does not hold: ${what}`);
console.log(`${checks.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
