import { GranuleError } from '../../errors.js';
import { type ModelFiles, type ModelFilesOptions, readConfig } from './model-files.js';
import { onnxModelVersion } from './onnx-model-version.js';
import { chooseOutput, type OnnxOutput } from './onnx-outputs.js';
import type { TextPooling } from './onnx-pooling.js';
import type { OnnxSession, OnnxSessionOptions } from './onnx-session.js';
import { type TokenInputs, tokenFeeds, tokenInputs } from './onnx-token-batch.js';
import type { OnnxTokenizer } from './onnx-tokenizer.js';

/** Outputs that are a whole text's vector. BERT's `pooler_output` is none: it was trained for another task. */
const POOLED_NAMES = ['sentence_embedding', 'text_embeds', 'embedding', 'embeddings', 'text_features'];
const TOKEN_NAMES = ['last_hidden_state', 'token_embeddings'];

/** Options of a text encoder; all may be left out where the model comes with the usual configuration files. */
export interface OnnxTextEncoderOptions extends OnnxSessionOptions, ModelFilesOptions {
  /** What names the encoder in a corpus; default `onnx:` and the model's file name. */
  readonly name?: string;
  /** Path of a `tokenizer.json` or of a folder that holds one; default: beside the model. */
  readonly tokenizer?: string;
  /**
   * Most tokens of a text, special ones included; the rest is cut off. Default: `max_seq_length` of
   * `sentence_bert_config.json`, else what the tokenizer's files say, else 512.
   */
  readonly maxLength?: number;
  /**
   * How one vector comes from the tokens. Default: what `1_Pooling/config.json` says, else `none` where the model gives a
   * whole text's vector under a usual name or gives nothing else, else `mean`.
   */
  readonly pooling?: TextPooling;
  /** Output that is pooled ([N, T, D]), or with pooling `none` taken as it is ([N, D]). */
  readonly output?: string;
  /** Put before every query; default: the prompt `query` of `config_sentence_transformers.json`, else nothing. */
  readonly queryPrefix?: string;
  /** Put before every passage; default: the prompt `passage` or `document` of that file, else nothing. */
  readonly passagePrefix?: string;
  /** Divides vectors and token vectors by their Euclidean norm; default true. */
  readonly normalize?: boolean;
  /** Also give a vector per token, without the special ones; default false, for they are many. */
  readonly tokens?: boolean;
  /** Texts per run of the model; default 32. A model with a fixed batch is run with that. */
  readonly batchSize?: number;
}

/** What opening a model finds out. */
export interface TextPlan {
  readonly inputs: TokenInputs;
  readonly tokenizer: OnnxTokenizer;
  readonly pooling: TextPooling;
  /** Output [N, D]; used with pooling `none`. */
  readonly pooled: OnnxOutput | undefined;
  /** Output [N, T, D]; pooled, and the tokens' vectors. */
  readonly hidden: OnnxOutput | undefined;
  readonly maxLength: number;
  readonly batchSize: number;
  readonly queryPrefix: string;
  readonly passagePrefix: string;
  readonly normalize: boolean;
  readonly tokens: boolean;
  readonly version: string;
}

/**
 * Learns what a text model takes and gives, by its configuration files and a trial run, and settles every option.
 *
 * @throws GranuleError `MODEL_INVALID`, `INVALID_ARGUMENT`
 */
export async function makeTextPlan(
  session: OnnxSession,
  files: ModelFiles,
  tokenizer: OnnxTokenizer,
  options: OnnxTextEncoderOptions,
): Promise<TextPlan> {
  const inputs = tokenInputs(session);
  const maxLength = await textLimit(files, tokenizer, inputs, options);
  const trialText = tokenizer.encode('a', maxLength);
  const trial = await session.run(
    tokenFeeds(inputs, [trialText], tokenizer.padId),
    session.outputs.map(({ name }) => name),
  );
  const choice = options.pooling ?? (await configuredPooling(files));
  const pooledName = choice === 'none' ? options.output : undefined;
  const hiddenName = choice === 'none' ? undefined : options.output;
  const rank2 = { role: 'text vector', rank: 2, preferred: POOLED_NAMES } as const;
  const rank3 = { role: 'token vectors', rank: 3, preferred: TOKEN_NAMES } as const;
  const hidden = chooseOutput(session, trial, { ...rank3, name: hiddenName });
  // An unusual name of rank 2 (`pooler_output`) is taken on request only, or where nothing else is there.
  const mayBePooled = choice === 'none' || hidden === undefined || POOLED_NAMES.some((name) => name in trial);
  const pooled =
    mayBePooled && hiddenName === undefined
      ? chooseOutput(session, trial, { ...rank2, name: pooledName })
      : undefined;
  const pooling = choice ?? (pooled === undefined ? 'mean' : 'none');
  if ((pooling === 'none' ? pooled : hidden) === undefined) {
    throw missingOutput(
      session,
      pooling === 'none' ? 'of rank 2 (text vector)' : 'of rank 3 (token vectors)',
    );
  }
  const tokens = options.tokens ?? false;
  if (tokens && hidden === undefined) throw missingOutput(session, 'of rank 3, and token vectors are wanted');
  const prompts = ((await readConfig(files, 'config_sentence_transformers.json'))?.['prompts'] ??
    {}) as Prompts;
  const settings = {
    pooling,
    output: (pooling === 'none' ? pooled : hidden)!.name,
    maxLength,
    queryPrefix: options.queryPrefix ?? prompts.query ?? '',
    passagePrefix: options.passagePrefix ?? prompts.passage ?? prompts.document ?? '',
    normalize: options.normalize ?? true,
    tokens,
  };
  const version = await onnxModelVersion([session.file, tokenizer.file], settings);
  const batchSize = inputs.fixedBatch ?? options.batchSize ?? 32;
  return { ...settings, inputs, tokenizer, pooled, hidden, batchSize, version };
}

interface Prompts {
  readonly query?: string;
  readonly passage?: string;
  readonly document?: string;
}

async function textLimit(
  files: ModelFiles,
  tokenizer: OnnxTokenizer,
  { fixedLength }: TokenInputs,
  options: OnnxTextEncoderOptions,
): Promise<number> {
  const stated = (await readConfig(files, 'sentence_bert_config.json'))?.['max_seq_length'];
  const configured = typeof stated === 'number' ? stated : (tokenizer.maxLength ?? 512);
  const limit = Math.min(options.maxLength ?? configured, fixedLength ?? Number.POSITIVE_INFINITY);
  if (limit <= tokenizer.specialTokens) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `maxLength ${limit} leaves no place beside ${tokenizer.specialTokens} special tokens`,
      { maxLength: limit },
    );
  }
  return limit;
}

async function configuredPooling(files: ModelFiles): Promise<TextPooling | undefined> {
  const config = await readConfig(files, '1_Pooling/config.json');
  if (config?.['pooling_mode_cls_token'] === true) return 'cls';
  if (config?.['pooling_mode_lasttoken'] === true) return 'last';
  return config?.['pooling_mode_mean_tokens'] === true ? 'mean' : undefined;
}

function missingOutput(session: OnnxSession, wanted: string): GranuleError {
  return new GranuleError(
    'MODEL_INVALID',
    `the model ${session.file} has no float32 output ${wanted}; its outputs: ` +
      session.outputs.map(({ name, type, shape }) => `${name} ${type}[${shape?.join(',')}]`).join(', '),
    { file: session.file },
  );
}
