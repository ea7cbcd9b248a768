import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterAll, describe, expect, test } from 'vitest';
import {
  OnnxTextEncoder,
  type OnnxTextEncoderOptions,
} from '../../../../src/encoders/onnx/onnx-text-encoder.js';
import { buildOnnxModel, type ModelValue } from './onnx-model-builder.js';

const folder = mkdtempSync(join(tmpdir(), 'granule-onnx-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const VOCABULARY = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'the',
  'capital',
  'of',
  'france',
  'is',
  'paris',
  '##s',
  'query',
  ':',
];
const DIMENSION = 4;
/** Row t is the vector of token t: small whole numbers, so that sums are exact. */
const TABLE = Float32Array.from({ length: VOCABULARY.length * DIMENSION }, (_, i) => ((i * 7) % 11) - 5);

/** BERT's tokenizer over the vocabulary above. */
const TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: VOCABULARY.slice(0, 4).map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
  },
};

interface ModelOptions {
  readonly type?: 'int64' | 'int32' | 'float32';
  readonly shape?: readonly (number | string)[];
  readonly inputs?: readonly string[];
  /** `last_hidden_state` [N, T, D]; `sentence_embedding` and `pooler_output` [N, D]: sum and maximum over all T. */
  readonly outputs?: readonly string[];
  readonly table?: Float32Array;
  readonly tokenizer?: object;
}

/** A folder with a model that looks every token up in `TABLE`; token types, masks and positions are taken and ignored. */
function textModel(name: string, options: ModelOptions = {}): string {
  const {
    type = 'int64',
    shape = ['N', 'T'],
    inputs = ['input_ids', 'attention_mask'],
    table = TABLE,
  } = options;
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'tokenizer.json'), JSON.stringify(options.tokenizer ?? TOKENIZER));
  const outputs: Record<string, ModelValue> = {
    last_hidden_state: { name: 'last_hidden_state', type: 'float32', shape: ['N', 'T', DIMENSION] },
    sentence_embedding: { name: 'sentence_embedding', type: 'float32', shape: ['N', DIMENSION] },
    pooler_output: { name: 'pooler_output', type: 'float32', shape: ['N', DIMENSION] },
  };
  const overTokens = { axes: [1], keepdims: 0 };
  const model = buildOnnxModel({
    inputs: inputs.map((input) => ({ name: input, type, shape })),
    outputs: (options.outputs ?? ['last_hidden_state']).map((output) => outputs[output]!),
    constants: [{ name: 'table', dims: [VOCABULARY.length, DIMENSION], data: table }],
    nodes: [
      { op: 'Gather', inputs: ['table', inputs[0]!], outputs: ['last_hidden_state'] },
      {
        op: 'ReduceMean',
        inputs: ['last_hidden_state'],
        outputs: ['sentence_embedding'],
        attributes: overTokens,
      },
      { op: 'ReduceMax', inputs: ['last_hidden_state'], outputs: ['pooler_output'], attributes: overTokens },
    ],
  });
  writeFileSync(join(place, 'model.onnx'), model);
  return place;
}

const row = (token: number) => TABLE.slice(token * DIMENSION, (token + 1) * DIMENSION);
const meanOf = (ids: readonly number[]) =>
  Array.from({ length: DIMENSION }, (_, i) =>
    Math.fround(ids.reduce((sum, id) => sum + row(id)[i]!, 0) / ids.length),
  );
const unit = (vector: readonly number[]) => vector.map((value) => value / Math.hypot(...vector));

const TEXTS = ['the capital of France', 'Paris', 'frances capital is Paris !'];
/** What the vocabulary makes of them by hand: [CLS] ... [SEP]; "!" is unknown. */
const IDS = [
  [2, 4, 5, 6, 7, 3],
  [2, 9, 3],
  [2, 7, 10, 5, 8, 9, 1, 3],
];
const RAW: OnnxTextEncoderOptions = { normalize: false, threads: 1 };
const plain = textModel('plain');

async function encode(model: string, options: OnnxTextEncoderOptions, texts = TEXTS): Promise<number[][]> {
  await using encoder = await OnnxTextEncoder.open(model, { ...RAW, ...options });
  const { vectors } = await encoder.encodePassages(texts);
  expect(vectors.rows).toBe(texts.length);
  return texts.map((_, i) => [...vectors.data.subarray(i * vectors.columns, (i + 1) * vectors.columns)]);
}

describe('OnnxTextEncoder', () => {
  test('the tokens expected here are those of the tokenizer itself', () => {
    const tokenizer = new Tokenizer(TOKENIZER, {});
    expect(TEXTS.map((text) => tokenizer.encode(text).ids)).toEqual(IDS);
  });

  test('pools the tokens of each text, without its padding', async () => {
    expect(await encode(plain, {})).toEqual(IDS.map(meanOf));
    expect(await encode(plain, { pooling: 'cls' })).toEqual(IDS.map(() => [...row(2)]));
    expect(await encode(plain, { pooling: 'last' })).toEqual(IDS.map(() => [...row(3)]));
  });

  test('gives unit vectors unless asked not to', async () => {
    const vectors = await encode(plain, { normalize: true });
    vectors.forEach((vector, i) => {
      for (const [column, value] of unit(meanOf(IDS[i]!)).entries())
        expect(vector[column]).toBeCloseTo(value, 6);
    });
  });

  test("takes the model's own vector where it has one under a usual name, or on request", async () => {
    const pooled = textModel('pooled', {
      outputs: ['last_hidden_state', 'sentence_embedding', 'pooler_output'],
    });
    const single = [[...meanOf(IDS[0]!)]];
    expect(await encode(pooled, {}, [TEXTS[0]!])).toEqual(single);
    await using byDefault = await OnnxTextEncoder.open(pooled, RAW);
    expect(byDefault.pooling).toBe('none');
    const bert = textModel('bert', { outputs: ['last_hidden_state', 'pooler_output'] });
    await using bertEncoder = await OnnxTextEncoder.open(bert, RAW);
    expect(bertEncoder.pooling).toBe('mean');
    const largest = Array.from({ length: DIMENSION }, (_, i) =>
      Math.max(...IDS[1]!.map((id) => row(id)[i]!)),
    );
    expect(await encode(bert, { pooling: 'none', output: 'pooler_output' }, [TEXTS[1]!])).toEqual([largest]);
    const only = textModel('pooler-only', { outputs: ['pooler_output'] });
    expect(await encode(only, {}, [TEXTS[1]!])).toEqual([largest]);
  });

  test('gives one vector per token, without the special ones', async () => {
    await using encoder = await OnnxTextEncoder.open(plain, { ...RAW, tokens: true });
    const { tokens } = await encoder.encodeQueries(TEXTS);
    expect(tokens!.lengths).toEqual(Uint32Array.of(4, 1, 6));
    const own = IDS.flatMap((ids) => ids.slice(1, -1));
    expect(tokens).toMatchObject({
      data: Float32Array.from(own.flatMap((id) => [...row(id)])),
      columns: DIMENSION,
    });
    await using without = await OnnxTextEncoder.open(plain, RAW);
    expect(await without.encodeQueries(TEXTS)).not.toHaveProperty('tokens');
  });

  test('cuts long texts but keeps the special tokens', async () => {
    expect(await encode(plain, { maxLength: 4 })).toEqual(
      [
        [2, 4, 5, 3],
        [2, 9, 3],
        [2, 7, 10, 3],
      ].map(meanOf),
    );
    await expect(OnnxTextEncoder.open(plain, { maxLength: 2 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test('an empty text has its special tokens only', async () => {
    expect(await encode(plain, {}, [''])).toEqual([meanOf([2, 3])]);
    await using encoder = await OnnxTextEncoder.open(plain, { ...RAW, tokens: true });
    expect((await encoder.encodeQueries([''])).tokens!.lengths).toEqual(Uint32Array.of(0));
    expect(await encoder.encodeQueries([])).toMatchObject({ vectors: { rows: 0, columns: DIMENSION } });
  });

  test('order and batches change nothing', async () => {
    const texts = Array.from({ length: 23 }, (_, i) => TEXTS.slice(0, 1 + (i % 3)).join(' '));
    const alone = await encode(plain, { batchSize: 1 }, texts);
    expect(await encode(plain, { batchSize: 5 }, texts)).toEqual(alone);
    expect(await encode(plain, {}, [...texts].reverse())).toEqual([...alone].reverse());
  });

  test('puts the prefixes before queries and passages, from the options or the prompts file', async () => {
    const prefixed = textModel('prefixed');
    const prompts = { prompts: { query: 'query: ', document: 'the ' } };
    writeFileSync(join(prefixed, 'config_sentence_transformers.json'), JSON.stringify(prompts));
    for (const [model, options] of [
      [plain, { queryPrefix: 'query: ', passagePrefix: 'the ' }],
      [prefixed, {}],
    ] as const) {
      await using encoder = await OnnxTextEncoder.open(model, { ...RAW, ...options });
      expect([...(await encoder.encodeQueries(['paris'])).vectors.data]).toEqual(meanOf([2, 11, 12, 9, 3]));
      expect([...(await encoder.encodePassages(['paris'])).vectors.data]).toEqual(meanOf([2, 4, 9, 3]));
    }
  });

  test('feeds every usual input, as int32 too, and fixed shapes', async () => {
    const inputs = ['input_ids', 'token_type_ids', 'position_ids', 'attention_mask'];
    expect(await encode(textModel('all-inputs', { inputs }), {})).toEqual(IDS.map(meanOf));
    expect(await encode(textModel('int32', { type: 'int32' }), {})).toEqual(IDS.map(meanOf));
    expect(await encode(textModel('fixed', { shape: [2, 6] }), {})).toEqual(
      [IDS[0]!, IDS[1]!, [2, 7, 10, 5, 8, 3]].map(meanOf),
    );
  });

  test('feeds mask, token types, positions and padding as models expect them', async () => {
    const inputs = ['token_type_ids', 'position_ids', 'attention_mask', 'input_ids'];
    // Each looks up the table by another input: what comes out shows what went in.
    const seen = async (name: string) => {
      const order = [name, ...inputs.filter((input) => input !== name)];
      await using encoder = await OnnxTextEncoder.open(
        textModel(`sees-${name}`, { inputs: order, outputs: ['sentence_embedding'] }),
        RAW,
      );
      const { vectors } = await encoder.encodePassages(['paris', 'the capital']);
      return [...vectors.data.subarray(0, DIMENSION)];
    };
    expect(await seen('attention_mask')).toEqual(meanOf([1, 1, 1, 0]));
    expect(await seen('token_type_ids')).toEqual(meanOf([0, 0, 0, 0]));
    expect(await seen('position_ids')).toEqual(meanOf([0, 1, 2, 3]));
    expect(await seen('input_ids')).toEqual(meanOf([2, 9, 3, 0]));
  });

  test('reads length and pooling from the configuration files', async () => {
    const configured = textModel('configured', {
      tokenizer: { ...TOKENIZER, truncation: { max_length: 9 } },
    });
    await using first = await OnnxTextEncoder.open(configured, RAW);
    expect(first).toMatchObject({ maxLength: 9, pooling: 'mean', name: 'onnx:model', dimension: DIMENSION });
    mkdirSync(join(configured, '1_Pooling'));
    writeFileSync(
      join(configured, '1_Pooling/config.json'),
      JSON.stringify({ pooling_mode_cls_token: true }),
    );
    writeFileSync(join(configured, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: 7 }));
    await using second = await OnnxTextEncoder.open(configured, RAW);
    expect(second).toMatchObject({ maxLength: 7, pooling: 'cls' });
    expect(second.version).not.toBe(first.version);
    await using third = await OnnxTextEncoder.open(plain, RAW);
    expect(third.maxLength).toBe(512);
  });

  test('refuses models and tokenizers that do not fit, saying what is wrong', async () => {
    const refusal = async (options: ModelOptions, open: OnnxTextEncoderOptions = {}) => {
      const model = textModel('refused', options);
      const error = await OnnxTextEncoder.open(model, { ...RAW, ...open }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'MODEL_INVALID' });
      return (error as Error).message;
    };
    expect(await refusal({ inputs: ['attention_mask'] })).toMatch(/model\.onnx has no input 'input_ids'/);
    expect(await refusal({ inputs: ['input_ids', 'pixel_values'] })).toMatch(/needs an input 'pixel_values'/);
    expect(await refusal({ shape: ['N', 'T', 'x'] })).toMatch(/wrong rank in input 'input_ids': 3, not 2/);
    expect(await refusal({}, { pooling: 'none' })).toMatch(/no float32 output of rank 2/);
    expect(await refusal({ outputs: ['pooler_output'] }, { pooling: 'mean' })).toMatch(
      /no float32 output of rank 3/,
    );
    expect(await refusal({ outputs: ['pooler_output'] }, { tokens: true })).toMatch(
      /token vectors are wanted/,
    );
    expect(await refusal({}, { output: 'logits' })).toMatch(/no output 'logits'/);
    expect(await refusal({ tokenizer: { model: { type: 'Nonsense' } } })).toMatch(
      /tokenizer\.json cannot be used/,
    );
    const noUnknown = { ...TOKENIZER, model: { ...TOKENIZER.model, unk_token: '[NONE]' } };
    expect(await refusal({ tokenizer: noUnknown })).toMatch(/unknown words|cannot be used/);
    writeFileSync(join(plain, 'broken.json'), '{');
    await expect(
      OnnxTextEncoder.open(plain, { tokenizer: join(plain, 'broken.json') }),
    ).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      details: { file: join(plain, 'broken.json') },
    });
    await expect(OnnxTextEncoder.open(plain, { tokenizer: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });

  test('reports vectors that are not finite, an abort, and use after close', async () => {
    const table = TABLE.slice();
    table[9 * DIMENSION + 2] = Number.NaN;
    const encoder = await OnnxTextEncoder.open(textModel('nan', { table }), RAW);
    await expect(encoder.encodePassages(['the', 'paris'])).rejects.toMatchObject({
      code: 'NOT_FINITE',
      details: { row: 1, column: 2 },
    });
    const signal = AbortSignal.abort();
    await expect(encoder.encodePassages(['the'], { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await encoder.close();
    await expect(encoder.encodePassages(['the'])).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
  });
});
