import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Corpus } from '../../src/corpus/corpus.js';
import { openKnowledgeBase } from '../../src/server/corpus-knowledge-base.js';
import { builtInEncoders } from '../../src/systems/built-in-encoders.js';
import {
  adaptedTextEncoder,
  loadAdapter,
  readCorpusAdapter,
  readTowers,
  readTrainingLines,
  trainCorpusRetriever,
} from '../../src/training/index.js';
import { difference, run, tensor, writeModel } from '../unit/training/export/folded-encoder.js';
import { commandsInOneProcess, ended, start } from './cli-process.js';

/** Words of questions, and the words of the passages that answer them: they have nothing in common. */
const WORDS = [
  ['warm', 'sunny'],
  ['cold', 'icy'],
  ['wet', 'rainy'],
  ['high', 'mountainous'],
  ['flat', 'level'],
  ['big', 'vast'],
] as const;
const PLACES = ['coast', 'valley', 'island', 'forest', 'desert', 'marsh', 'cliff', 'plain'];

let folder: string;
let kb: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'granule-test-'));
  kb = at('kb');
  const corpus = await Corpus.create(kb, builtInEncoders());
  const places = PLACES.map((place) => ({
    entity: { id: place, title: place },
    passages: WORDS.map(([, word]) => ({ id: `${place}-${word}`, text: `It is ${word} ${place} land.` })),
  }));
  // The encoder leaves out words that it has never met.
  const talk = WORDS.map(([asked]) => ({ id: `talk-${asked}`, text: `They talk of ${asked} days.` }));
  await corpus.ingest([...places, { entity: { id: 'talk', title: 'talk' }, passages: talk }]);
  await corpus.close();
  const lines = PLACES.map((place, i) =>
    WORDS.map(([asked, word]) =>
      JSON.stringify(
        // Some say the passage, some what it has to hold.
        i % 3 === 0
          ? { query: `${asked} ${place}`, answers: [word], group: place }
          : { query: `${asked} ${place}`, positives: [`${place}-${word}`], group: place },
      ),
    ),
  );
  writeFileSync(at('train.jsonl'), lines.slice(0, 6).flat().join('\n'));
  writeFileSync(at('dev.jsonl'), lines.slice(6).flat().join('\n'));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A model that gives what it is given. */
function identityModel(): string {
  const shape = ['N', builtInEncoders().textEncoder.dimension];
  return writeModel(at('encoder.onnx'), {
    inputs: [{ name: 'given', type: 'float32', shape }],
    outputs: [{ name: 'embedding', type: 'float32', shape }],
    nodes: [{ op: 'Identity', inputs: ['given'], outputs: ['embedding'] }],
  });
}

/** What does not go together, and what the command says. */
const CONTRADICTIONS: readonly (readonly [words: readonly string[], message: string])[] = [
  [['--epochs', '2', '--steps', '3'], '--epochs and --steps both say how long'],
  [['--measure', 'map'], '--measure needs something to measure by'],
  [['--patience', '2'], '--patience needs something to measure by'],
  [['--tower', 'mlp', '--rank', '8'], '--rank is of a low-rank tower, not of an mlp'],
  [['--tower', 'linear', '--hidden', '8'], '--hidden is of an mlp, not of a linear one'],
  [['--log', 'train.jsonl'], '--pairs and --log are the same file'],
  [['--checkpoint', './x'], '--to and --checkpoint are the same file'],
  [['--curves', 'x.checkpoint'], '--checkpoint and --curves are the same file'],
];

describe('granule train', () => {
  it('teaches words that questions and passages do not share, for search and programs', {
    timeout: 60_000,
  }, async () => {
    const to = at('adapter.safetensors');
    const lines = (await readTrainingLines(at('dev.jsonl'))).filter(({ positives }) => positives.length > 0);
    const args = ['train', kb, '--pairs', at('train.jsonl'), '--eval', at('dev.jsonl'), '--to', to];
    const tuned = ['--rank', '16', '--rate', '0.02', '--batch', '16', '--epochs', '15', '--patience', '15'];
    const files = ['--log', at('log.jsonl'), '--curves', at('curves.svg')];
    const search = ['search', kb, lines[0]!.query!, '--json', '--k', '48'];
    const folded = at('adapted.onnx');
    const [trained, adaptedSearch, plainSearch, exported, ofPictures] = await commandsInOneProcess(
      [
        [...args, ...tuned, ...files, '--json'],
        [...search, '--adapter', to],
        search,
        ['export', to, '--model', identityModel(), '--to', folded],
        ['search', kb, '--image', 'photo.jpg', '--adapter', to],
      ].map((words) => ['granule', ...words]),
      folder,
    );
    expect(trained).toMatchObject({ status: 0, stderr: '' });
    expect(ofPictures).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it changes no search by pictures [ENCODER_MISMATCH]'),
    });
    const facts = JSON.parse(trained!.stdout);
    expect(facts.queries.dev).toBe(12);
    expect(facts.after.recip_rank).toBeGreaterThan(facts.before.recip_rank + 0.1);
    expect(existsSync(`${to}.checkpoint`)).toBe(false);

    const events = readFileSync(at('log.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toEqual({ type: 'evaluation', step: 0, epoch: 0, measures: facts.before, best: true });
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(facts.steps);
    expect(readFileSync(at('curves.svg'), 'utf8')).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[\s\S]*<\/svg>\s*$/,
    );

    // A program that uses the adapter finds what the command measured.
    const adapter = await loadAdapter(to);
    expect(adapter.training).toMatchObject({ of: 'passages', before: { measures: facts.before } });
    const encoders = builtInEncoders();
    await using corpus = await Corpus.open(kb, encoders, { readOnly: true });
    await using snapshot = await corpus.snapshot();
    const encoder = adaptedTextEncoder(encoders.textEncoder, adapter);
    const { vectors } = await encoder.encodeQueries(lines.map(({ query }) => query!));
    const hits = await snapshot.searchPassages(vectors, { k: 48 });
    const passages = await snapshot.passages([...hits.rows]);
    const ranks = lines.map((line, i) =>
      passages.slice(i * hits.k, (i + 1) * hits.k).findIndex(({ id }) => line.positives.includes(id)),
    );
    expect(ranks.every((rank) => rank >= 0)).toBe(true);

    // In a model that gives the encoder's vectors, its tower gives the adapted ones.
    expect((await readTowers(to)).query!.parameters).toEqual(adapter.query.parameters);
    const plain = await encoders.textEncoder.encodeQueries(lines.map(({ query }) => query!));
    expect(exported).toMatchObject({ status: 0, stderr: '' });
    const dims = [lines.length, adapter.query.output];
    const { embedding } = await run(folded, { given: tensor(plain.vectors.data, dims) });
    expect(difference(embedding, { dims, data: vectors.data })).toBeLessThan(1e-5);

    const [adapted, unadapted] = [adaptedSearch!, plainSearch!].map(({ stdout }) => JSON.parse(stdout).hits);
    expect(
      adapted.findIndex((hit: { passage: { id: string } }) => lines[0]!.positives.includes(hit.passage.id)),
    ).toBe(ranks[0]);
    expect(adapted).not.toEqual(unadapted);
    // The server asks in the same way.
    const { adapt } = await readCorpusAdapter(to);
    const served = await openKnowledgeBase(kb, { adapt });
    const reply = await served.search(
      { text: lines[0]!.query!, k: 48 },
      { signal: new AbortController().signal },
    );
    await served.close();
    const found = (list: readonly object[]) =>
      (list as { passage: { id: string }; score: number }[]).map(({ passage, score }) => [passage.id, score]);
    expect(found(reply.hits)).toEqual(found(adapted));
  });

  it('teaches a tower of documents, with which a knowledge base is encoded anew, opened and brought back', {
    timeout: 60_000,
  }, async () => {
    const copy = at('copy');
    cpSync(kb, copy, { recursive: true });
    const [both, ofQueries] = [at('both.safetensors'), at('of-queries.safetensors')];
    const train = ['train', copy, '--pairs', at('train.jsonl')];
    const tuned = ['--both', '--rank', '16', '--rate', '0.02', '--batch', '16', '--epochs', '8'];
    const search = ['search', copy, 'warm coast', '--json', '--k', '48'];
    const [trained, one, early, refused, encoded, found, without, back, plain] = await commandsInOneProcess(
      [
        [...train, '--to', both, '--eval', at('dev.jsonl'), '--json', ...tuned],
        [...train, '--to', ofQueries, '--steps', '1'],
        [...search, '--adapter', both],
        ['reencode', copy, '--adapter', ofQueries],
        ['reencode', copy, '--adapter', both],
        [...search, '--adapter', both],
        search,
        ['reencode', copy],
        search,
      ].map((words) => ['granule', ...words]),
      folder,
    );
    for (const done of [trained, one, encoded, found, back, plain]) {
      expect(done).toMatchObject({ status: 0, stderr: '' });
    }
    for (const wrong of [early, refused, without]) {
      expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('[ENCODER_MISMATCH]') });
    }
    expect(refused!.stderr).toContain('has no tower of documents');
    const best = ({ stdout }: { stdout: string }) => JSON.parse(stdout).hits[0].passage.id;
    expect(best(found!)).toBe('coast-sunny');
    expect(best(plain!)).not.toBe('coast-sunny');

    const { ofDocuments, adapt } = await readCorpusAdapter(both);
    expect(ofDocuments).toBe(true);
    await expect(openKnowledgeBase(copy, { encodedBy: adapt })).rejects.toMatchObject({
      code: 'ENCODER_MISMATCH',
    });
  });

  it('says after Ctrl-C what goes on from where', async () => {
    const [to, checkpoint] = [at('stopped.safetensors'), at('stopped.safetensors.checkpoint')];
    const child = start([
      'train',
      kb,
      '--pairs',
      at('train.jsonl'),
      '--to',
      to,
      '--steps',
      '1000000',
      '--every-steps',
      '1',
    ]);
    const end = ended(child);
    const working = setInterval(() => {
      if (!existsSync(checkpoint)) return;
      clearInterval(working);
      child.kill('SIGINT');
    }, 20);
    expect(await end).toMatchObject({
      status: 130,
      stderr: `granule: interrupted; the same command goes on from ${checkpoint} [ABORTED]\n`,
    });
    expect(existsSync(to)).toBe(false);
  });

  it('refuses what cannot be trained on, with the line', async () => {
    const refused = async (pairs: object[], dev: object[] = []) => {
      writeFileSync(at('pairs.jsonl'), pairs.map((line) => JSON.stringify(line)).join('\n'));
      writeFileSync(at('measured.jsonl'), dev.map((line) => JSON.stringify(line)).join('\n'));
      const [train, measured] = await Promise.all([
        readTrainingLines(at('pairs.jsonl')),
        dev.length === 0 ? undefined : readTrainingLines(at('measured.jsonl')),
      ]);
      const encoders = builtInEncoders();
      await using corpus = await Corpus.open(kb, encoders, { readOnly: true });
      await using snapshot = await corpus.snapshot();
      return await trainCorpusRetriever(snapshot, encoders, { train, dev: measured }).catch((error) => error);
    };
    const right = { query: 'wet coast', positives: ['coast-rainy'] };
    const code = 'TRAINING_DATA_INVALID';
    expect(await refused([right, { ...right, positives: ['coast-dry'] }])).toMatchObject({
      code,
      message: expect.stringMatching(/line 2: "coast-dry" is not the id of a passage/),
    });
    expect(await refused([{ ...right, negatives: ['coast-rainy'] }])).toMatchObject({
      code,
      details: { line: 1 },
    });
    expect(await refused([{ query: 'wet coast', answers: ['nowhere'] }])).toMatchObject({
      code,
      message: expect.stringMatching(/none of the best 50 passages .* holds an answer/),
    });
    expect(await refused([right], [right])).toMatchObject({
      code,
      message: expect.stringMatching(/is trained on/),
    });
    expect(await refused([right, { image: 'p.png', positives: ['coast'] }])).toMatchObject({ code });
    // An entity stands for all its passages.
    expect((await refused([{ query: 'x', positives: ['coast'] }, right])).history.steps).toHaveLength(10);
  });

  it('refuses a wrong command line, files that cannot be written before it trains, and an adapter that is none', async () => {
    const nowhere = at('nowhere/file');
    const train = ['train', kb, '--pairs', at('train.jsonl'), '--to', at('x')];
    const [both, rate, loss, search, mcp, folderPairs, folderTo, to, checkpoint, curves, ...usage] =
      await commandsInOneProcess(
        [
          [...train, '--eval', at('dev.jsonl'), '--dev-share', '0.2'],
          [...train, '--rate', '-1'],
          [...train, '--loss', 'hinge'],
          ['search', kb, 'x', '--adapter', at('train.jsonl')],
          ['mcp', kb, '--adapter', at('train.jsonl')],
          ['train', kb, '--pairs', kb, '--to', at('x')],
          [...train.slice(0, -1), kb],
          [...train.slice(0, -1), nowhere],
          [...train, '--checkpoint', nowhere],
          [...train, '--curves', nowhere],
          ...CONTRADICTIONS.map(([words]) => [...train, ...words]),
        ].map((words) => ['granule', ...words]),
        folder,
      );
    expect(folderPairs!.stderr).toMatch(/cannot read .*\[FILE_NOT_FOUND\]/);
    expect(folderTo!.stderr).toContain('it is a folder [FILE_NOT_WRITABLE]');
    for (const missing of [to, checkpoint, curves]) {
      expect(missing).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/cannot write to .*nowhere\/file: .*\[FILE_NOT_WRITABLE\]/),
      });
    }
    for (const [i, [, message]] of CONTRADICTIONS.entries()) {
      expect(usage[i]).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
    }
    expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('[USAGE]') });
    expect(rate).toMatchObject({ status: 2, stderr: expect.stringContaining('above 0') });
    expect(loss).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/loss must be one of .*\[INVALID_ARGUMENT\]/),
    });
    for (const user of [search, mcp]) {
      expect(user).toMatchObject({ status: 1, stderr: expect.stringContaining('[TRAINING_FILE_INVALID]') });
    }
  });

  it('tells the countries from a folder of that name, and refuses what does not go with them', async () => {
    const withPairs = ['--pairs', at('train.jsonl')];
    const [pairs, to, seeds, rank, twice, there, within, unknown, folderOfThatName] =
      await commandsInOneProcess(
        [
          [kb, '--to', at('x')],
          [kb, ...withPairs],
          [kb, ...withPairs, '--to', at('x'), '--seeds', '1'],
          ['countries', '--rank', '8'],
          ['countries', '--seeds', '1,1'],
          ['countries', '--to', kb],
          ['countries', '--to', join(at('train.jsonl'), 'towers')],
          ['countries', '--check', '--seeds', '1,4'],
          ['countries', ...withPairs, '--to', at('x')],
        ].map((words) => ['granule', 'train', ...words]),
        folder,
      );
    const usage = (message: string) => ({ status: 2, stderr: expect.stringContaining(message) });
    expect(pairs).toMatchObject(usage("required option '--pairs <file>' not specified"));
    expect(to).toMatchObject(usage("required option '--to <file>' not specified"));
    expect(seeds).toMatchObject(usage('--seeds is an option of granule train countries'));
    expect(rank).toMatchObject(usage('--rank needs --pairs'));
    expect(twice).toMatchObject(usage('No number may be there twice'));
    expect(there).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is there already.*\[FILE_NOT_WRITABLE\]/),
    });
    // Known before minutes of training.
    expect(within).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/cannot write to .*towers.*\[FILE_NOT_WRITABLE\]/),
    });
    expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('there are none of seed 4') });
    expect(folderOfThatName).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[CORPUS_NOT_FOUND]'),
    });
  });
});
