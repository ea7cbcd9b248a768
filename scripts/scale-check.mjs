/**
 * Ingests many passages and checks what it took: memory, the time to open, and exact filtered search. Not a part of CI.
 *
 *     node scripts/scale-check.mjs [passages, default 1000000] [folder]
 *
 * Prints one line per measurement, and ends with status 1 where one misses its bound.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Corpus } from 'granule';

const PASSAGES = Number(process.argv[2] ?? 1_000_000);
const PER_ENTITY = 10;
const DIMENSION = 128;
const MOST_MEMORY = 4 * 2 ** 30;
const MOST_OPEN_MILLISECONDS = 2000;
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'granule-scale-'));

/** Vectors that follow from a passage's number, which its text ends with: cheap, and all different. */
class NumberEncoder {
  name = 'number';
  version = '1';
  dimension = DIMENSION;
  async encodePassages(texts) {
    const data = new Float32Array(texts.length * DIMENSION);
    for (const [i, text] of texts.entries()) {
      data.set(vectorOf(Number(text.slice(text.lastIndexOf(' ') + 1))), i * DIMENSION);
    }
    return { vectors: { data, rows: texts.length, columns: DIMENSION } };
  }
  encodeQueries(texts) {
    return this.encodePassages(texts);
  }
}

class NoImages {
  name = 'none';
  version = '1';
  dimension = 2;
  patchDimension = 0;
  async encodeImages() {
    throw new Error('there are no images');
  }
  async encodeQuery() {
    throw new Error('there are no images');
  }
}

function vectorOf(number) {
  const vector = new Float32Array(DIMENSION);
  let state = (number * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < DIMENSION; i++) {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + i) >>> 0;
    vector[i] = state / 2 ** 31 - 1;
  }
  return vector;
}

function* lines() {
  const filler = 'Words that stand for the hundred or so of a passage of the usual length. '.repeat(6);
  for (let entity = 0; entity * PER_ENTITY < PASSAGES; entity++) {
    yield {
      entity: { id: `e${entity}`, title: `Entity ${entity}` },
      metadata: { entity, region: `r${entity % 50}`, even: entity % 2 === 0 },
      passages: Array.from({ length: PER_ENTITY }, (_, p) => {
        const number = entity * PER_ENTITY + p;
        return { id: `p${number}`, text: `Entity ${entity}. ${filler}Number ${number}` };
      }),
    };
  }
}

let failed = 0;
function report(what, value, bound, unit) {
  const holds = bound === undefined || value <= bound;
  if (!holds) failed += 1;
  const limit = bound === undefined ? '' : ` (at most ${bound}${holds ? '' : ': MISSED'})`;
  console.log(`${what}: ${Math.round(value * 10) / 10} ${unit}${limit}`);
}

let peak = 0;
let held = 0;
let last = performance.now();
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
  held = Math.max(held, performance.now() - last - 5);
  last = performance.now();
}, 5);

const encoders = { textEncoder: new NumberEncoder(), imageEncoder: new NoImages() };
const kb = join(folder, 'kb');
let start = performance.now();
let corpus = await Corpus.create(kb, encoders);
const ingested = await corpus.ingest(lines());
report('ingest', (performance.now() - start) / 1000, undefined, 's');
report('ingest', ingested.passages / ((performance.now() - start) / 1000), undefined, 'passages/s');
report('event loop held during ingest, longest', held, undefined, 'ms');
await corpus.close();
report('peak resident memory', peak / 2 ** 20, MOST_MEMORY / 2 ** 20, 'MiB');

start = performance.now();
corpus = await Corpus.open(kb, encoders);
const snapshot = await corpus.snapshot();
report('open', performance.now() - start, MOST_OPEN_MILLISECONDS, 'ms');

const query = vectorOf(PASSAGES * 7);
const vectors = { data: query, rows: 1, columns: DIMENSION };
for (const [name, filter, allows] of [
  ['no filter', undefined, () => true],
  ['one entity in fifty', { region: 'r7' }, (entity) => entity % 50 === 7],
  ['a range', { entity: { lt: 100 } }, (entity) => entity < 100],
  ['every other', { even: true, entity: { gte: 10 } }, (entity) => entity % 2 === 0 && entity >= 10],
]) {
  start = performance.now();
  const hits = await snapshot.searchPassages(vectors, { k: 10, ...(filter && { filter }) });
  report(`search, ${name}`, performance.now() - start, undefined, 'ms');
  const found = await snapshot.passages([...hits.rows]);
  const numbers = found.map(({ text }) => Number(text.slice(text.lastIndexOf(' ') + 1)));
  const expected = best(query, allows);
  const equal = JSON.stringify(numbers) === JSON.stringify(expected);
  if (!equal) failed += 1;
  console.log(`  ${equal ? 'exact' : `NOT EXACT: ${numbers} instead of ${expected}`}`);
}

start = performance.now();
await corpus.put({ entity: { id: 'new', title: 'New' }, passages: [{ id: 'new', text: 'Number 5' }] });
report('put', performance.now() - start, undefined, 'ms');
start = performance.now();
await (await corpus.snapshot()).release();
report('the next snapshot', performance.now() - start, undefined, 'ms');
await corpus.delete({ entity: 'e1' });
start = performance.now();
await corpus.compact();
report('compact', (performance.now() - start) / 1000, undefined, 's');
await snapshot.release();
await corpus.close();
clearInterval(watch);
report('peak resident memory, at the end', peak / 2 ** 20, undefined, 'MiB');
if (process.argv[3] === undefined) rmSync(folder, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;

/** The ten best by a plain scan in float64, in eight lanes as the engine adds. */
function best(of, allows) {
  const top = [];
  for (let number = 0; number < PASSAGES; number++) {
    if (!allows(Math.floor(number / PER_ENTITY))) continue;
    const vector = vectorOf(number);
    const lanes = new Float64Array(8);
    for (let i = 0; i < DIMENSION; i++) lanes[i & 7] += of[i] * vector[i];
    const [a, b, c, d, e, f, g, h] = lanes;
    const score = Math.fround(a + b + (c + d) + (e + f + (g + h)));
    if (top.length === 10 && score <= top[9].score) continue;
    top.push({ number, score });
    top.sort((x, y) => y.score - x.score || x.number - y.number);
    top.length = Math.min(top.length, 10);
  }
  return top.map(({ number }) => number);
}
