import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareTowers } from '../../../../src/demo/learning/compare-towers.js';
import {
  COUNTRY_STAGES,
  type CountryStage,
  towersAfter,
} from '../../../../src/demo/learning/country-towers.js';
import {
  readCountryTowers,
  type TrainedCountries,
  tensorsOf,
  writeCountryTowers,
} from '../../../../src/demo/learning/country-towers-file.js';
import { CANDIDATE_FEATURES } from '../../../../src/generators/extractive/candidate-features.js';
import { SpanScorer } from '../../../../src/training/reader/span-scorer.js';
import { Tower } from '../../../../src/training/towers/tower.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
const file = join(folder, 'seed-7.safetensors');
let trained: TrainedCountries;

const query = (seed: number) => Tower.create({ kind: 'low-rank', dimension: 6, rank: 2 }, { seed });
const image = (seed: number) => Tower.create({ kind: 'mlp', input: 5, hidden: 4, output: 3 }, { seed });

beforeAll(async () => {
  const title = await Tower.create({ kind: 'linear', input: 6, output: 3, bias: false });
  const where = await Tower.create({ kind: 'linear', input: 4, output: 2, bias: false, normalise: false });
  const reader = await SpanScorer.create({ kind: 'mlp', hidden: 2 });
  const stages: CountryStage[] = [
    { image: await image(1), title },
    { query: await query(2) },
    { image: await image(3), query: await query(3), reader },
    { where },
    { query: await query(5) },
    {},
  ];
  const textEncoder = { name: 'n', version: '1', dimension: 6, hash: 'ab' };
  trained = { seed: 7, stages, textEncoder, data: 'cd', instructionSet: 'avx2' };
  await writeCountryTowers(file, trained);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a file gives back what was written, and the same bytes again', async () => {
  const read = await readCountryTowers(file);
  expect({ ...read, stages: [] }).toEqual({ ...trained, stages: [] });
  expect([...tensorsOf(read.stages).keys()].slice(0, 6)).toEqual([
    ...['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias'].map(
      (name) => `stage-1.image.${name}`,
    ),
    'stage-1.title.weight',
    'stage-2.query.down',
  ]);
  const { tensors, sameData } = compareTowers(read, trained);
  expect(sameData).toBe(true);
  expect(tensors.map(({ differing }) => differing)).toEqual(new Array(22).fill(0));
  await writeCountryTowers(join(folder, 'again.safetensors'), read);
  expect(readFileSync(join(folder, 'again.safetensors'))).toEqual(readFileSync(file));
});

test('a stage has its own parts and the latest ones of the stages before', async () => {
  const { stages } = await readCountryTowers(file);
  expect(towersAfter(stages, 1)).toEqual({
    ...{ image: stages[0]!.image, title: stages[0]!.title },
    ...{ query: undefined, reader: undefined, where: undefined },
  });
  expect(towersAfter(stages, 4)).toEqual({
    ...{ image: stages[2]!.image, title: stages[0]!.title },
    ...{ query: stages[2]!.query, reader: stages[2]!.reader, where: stages[3]!.where },
  });
  expect(towersAfter(stages, 6).query).toBe(stages[4]!.query);
});

test('one bit of a number is a difference, and a tensor too many as well', async () => {
  const other = await readCountryTowers(file);
  const values = other.stages[1]!.query!.parameters.get('down')!.values;
  values[3] = Math.fround(values[3]! * (1 + 2 ** -23));
  const differing = compareTowers(other, trained).tensors.filter((tensor) => tensor.differing > 0);
  expect(differing).toEqual([
    { name: 'stage-2.query.down', differing: 1, numbers: 12, greatest: expect.any(Number) },
  ]);
  expect(differing[0]!.greatest).toBeLessThan(1e-6);
  const more = { ...trained, stages: [...trained.stages.slice(0, 5), { where: trained.stages[3]!.where! }] };
  for (const [made, known] of [
    [more, trained],
    [trained, more],
  ] as const) {
    expect(compareTowers(made, known).tensors.filter((tensor) => tensor.differing > 0)).toEqual([
      { name: 'stage-6.where.weight', differing: 8, numbers: 8, greatest: Number.POSITIVE_INFINITY },
    ]);
  }
  const biases = (stages: readonly CountryStage[]) => stages[0]!.image!.parameters.get('hidden.bias')!.values;
  expect(biases(trained.stages)[0]).toBe(0);
  const negative = await readCountryTowers(file);
  biases(negative.stages)[0] = -0;
  expect(compareTowers(negative, trained).tensors.filter((tensor) => tensor.differing > 0)).toEqual([
    { name: 'stage-1.image.hidden.bias', differing: 1, numbers: 4, greatest: 0 },
  ]);
});

test('a comparison says whether both were trained on the same, by the same instructions', () => {
  const flags = (other: Partial<TrainedCountries>) => {
    const { sameData, sameInstructionSet } = compareTowers({ ...trained, ...other }, trained);
    return [sameData, sameInstructionSet];
  };
  expect(flags({})).toEqual([true, true]);
  expect(flags({ data: 'ce' })).toEqual([false, true]);
  expect(flags({ textEncoder: { ...trained.textEncoder, hash: 'ac' } })).toEqual([false, true]);
  expect(flags({ instructionSet: 'neon' })).toEqual([true, false]);
});

test('a file that is altered, of other stages, or of something else is refused', async () => {
  const bytes = readFileSync(file);
  const refused = async (text: Buffer, what: RegExp) => {
    const other = join(folder, 'other.safetensors');
    writeFileSync(other, text);
    await expect(readCountryTowers(other)).rejects.toMatchObject({
      code: 'TRAINING_FILE_INVALID',
      message: expect.stringMatching(what),
    });
  };
  const altered = Buffer.from(bytes);
  altered[altered.length - 2]! ^= 1;
  await refused(altered, /checksum/);
  const replaced = (from: string, to: string) => {
    expect(from).toHaveLength(to.length);
    return Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
  };
  await refused(replaced(COUNTRY_STAGES[5], 'OTHR'), /has the stages .*OTHR/);
  await refused(replaced('granule-country-towers', 'granule-country-powers'), /granule-country-powers/);
  await refused(replaced('{\\"where\\":', '{\\"there\\":'), /what each stage has changed/);
  await refused(
    replaced(CANDIDATE_FEATURES[0]!, 'x'.repeat(CANDIDATE_FEATURES[0]!.length)),
    /other features/,
  );
  await refused(bytes.subarray(0, 4), /too few/);
  const untitled = join(folder, 'untitled.safetensors');
  const [first, ...others] = trained.stages;
  await writeCountryTowers(untitled, { ...trained, stages: [{ image: first!.image! }, ...others] });
  await refused(readFileSync(untitled), /no towers of images and titles in its first stage/);
  await expect(readCountryTowers(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});
