/** Processes that are killed while they change a corpus: it opens by itself, and has all that was acknowledged, and nothing half. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Corpus } from '../../src/index.js';
import { buildPackage } from './built-package.js';
// @ts-expect-error: a script, which child processes run as it is
import * as changes from './scripts/corpus-changes.mjs';

/** More with `GRANULE_CORPUS_KILLS=500 npm run test:ts -- test/runtime/corpus-crash.test.ts`: some six minutes. */
const KILLS = Number(process.env['GRANULE_CORPUS_KILLS'] ?? 20);
const SERIES = 2;
/** Longest time that a process lives after it began its first change, in ms: some ten changes. */
const LONGEST_LIFE = 300;

let packageUrl = '';
const root = mkdtempSync(path.join(tmpdir(), 'granule-corpus-crash-'));
const pictures = path.join(root, 'pictures');
beforeAll(async () => {
  changes.writePictures(pictures);
  packageUrl = await buildPackage('corpus-crash');
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What a process said before it was killed: the first change that was not acknowledged, and whether it had begun. */
interface Killed {
  readonly next: number;
  readonly begun: boolean;
}

function changeUntilKilled(folder: string, seed: number, first: number, life: number): Promise<Killed> {
  const script = path.join(import.meta.dirname, 'scripts', 'corpus-until-killed.mjs');
  const args = [script, packageUrl, folder, pictures, String(seed), String(first)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    let errors = '';
    child.stderr.on('data', (text: Buffer) => {
      errors += text;
    });
    child.stdout.on('data', (text: Buffer) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), life);
      said += text;
    });
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the process ended by itself: ${errors}`));
      const [word, n] = said.trim().split('\n').at(-1)!.split(' ');
      resolve({ next: word === 'begin' ? Number(n) : Number(n) + 1, begun: word === 'begin' });
    });
  });
}

type State = { readonly n: number; readonly without: readonly string[] } | undefined;

async function killAgainAndAgain(seed: number, kills: number): Promise<Map<string, number>> {
  const folder = path.join(root, `kb-${seed}`);
  await (await Corpus.create(folder, changes.cheapEncoders())).close();
  const entities: number[] = changes.entityNumbers();
  let states: State[] = entities.map(() => undefined);
  let first = 0;
  const interrupted = new Map<string, number>();
  for (let kill = 0; kill < kills; kill++) {
    const life = (LONGEST_LIFE * ((kill * 37 + seed * 11) % 100)) / 100;
    const { next, begun } = await changeUntilKilled(folder, seed, first, life);
    for (let n = first; n < next; n++)
      states = states.map((state, e) => changes.entityAfter(seed, n, e, state));
    const after: State[] = states.map((state, e) =>
      begun ? changes.entityAfter(seed, next, e, state) : state,
    );
    const where = `series ${seed}, kill ${kill}, change ${next}: ${JSON.stringify(changes.changeOf(seed, next))}`;

    const encoders = changes.cheapEncoders();
    const corpus = await Corpus.open(folder, encoders);
    expect(await corpus.verify(), where).toMatchObject({ ok: true, problems: [], leftovers: [] });
    const snapshot = await corpus.snapshot();
    const parts = await Promise.all(entities.map((entity) => changes.partsIn(snapshot, entity)));
    const expected = (of: readonly State[]) => entities.map((e) => changes.expectedParts(pictures, e, of[e]));
    const [old, done] = [expected(states), expected(after)];
    for (const entity of entities) expect([old[entity], done[entity]], where).toContain(parts[entity]);
    await snapshot.release();
    // One change is one commit, of many lines too where they fit into one batch.
    const isOld = JSON.stringify(parts) === JSON.stringify(old);
    expect(isOld || JSON.stringify(parts) === JSON.stringify(done), where).toBe(true);

    await corpus.encodePending();
    const whole = await corpus.snapshot();
    await changes.requireFindable(whole, encoders.textEncoder, encoders.imageEncoder);
    await whole.release();
    await corpus.close();

    const outcome = !begun
      ? 'between changes'
      : `${changes.changeOf(seed, next).kind}, ${isOld ? 'before' : 'after'}`;
    interrupted.set(outcome, (interrupted.get(outcome) ?? 0) + 1);
    states = isOld ? states : after;
    first = next + 1;
  }
  return interrupted;
}

it(`is whole after each of ${KILLS} kills`, { timeout: 60_000 + KILLS * 5_000 }, async () => {
  const each = Math.ceil(KILLS / SERIES);
  const series = await Promise.all(
    Array.from({ length: SERIES }, (_, seed) => killAgainAndAgain(seed, each)),
  );
  const outcomes = new Map<string, number>();
  for (const interrupted of series)
    for (const [outcome, count] of interrupted) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
  console.log(
    `${each * SERIES} kills: ${[...outcomes]
      .map(([outcome, n]) => `${n} ${outcome}`)
      .sort()
      .join('; ')}`,
  );
  // Kills that never hit a change in the making would prove nothing.
  const before = [...outcomes]
    .filter(([outcome]) => outcome.endsWith('before'))
    .reduce((sum, [, n]) => sum + n, 0);
  expect(before).toBeGreaterThan(KILLS / 10);
});
