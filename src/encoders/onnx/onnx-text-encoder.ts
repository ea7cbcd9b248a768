import { basename } from 'node:path';
import { GranuleError } from '../../errors.js';
import { matrix } from '../../vectors/matrix.js';
import type { EncodeOptions, TextEmbeddings, TextEncoder } from '../encoder.js';
import { resolveModelFiles } from './model-files.js';
import { finishRows } from './onnx-output-rows.js';
import { poolTokens, type TextPooling } from './onnx-pooling.js';
import { OnnxSession, type OnnxTensor } from './onnx-session.js';
import { makeTextPlan, type OnnxTextEncoderOptions, type TextPlan } from './onnx-text-plan.js';
import { tokenFeeds } from './onnx-token-batch.js';
import { OnnxTokenizer, type TokenizedText } from './onnx-tokenizer.js';

export type { OnnxTextEncoderOptions } from './onnx-text-plan.js';

/**
 * A text encoder that runs an ONNX model with its own tokenizer: one vector per text and, on request, one per token.
 *
 * The model takes `input_ids` and, where it has them, `attention_mask`, `token_type_ids` and `position_ids`, all [N, T].
 * Texts are run in order of their length, so that little is padding. As padding differs, vectors of one text in two
 * batches agree to float32 rounding, not to the bit.
 */
export class OnnxTextEncoder implements TextEncoder {
  readonly name: string;
  readonly version: string;
  readonly dimension: number;
  /** Most tokens of a text, special ones included. */
  readonly maxLength: number;
  readonly pooling: TextPooling;
  readonly #session: OnnxSession;
  readonly #plan: TextPlan;

  /**
   * Opens a model and its tokenizer and runs it once to learn its outputs.
   *
   * @param model - path of an `.onnx` file or of a folder that holds one, or `organisation/name` on the Hugging Face hub
   * @throws GranuleError `FILE_NOT_FOUND`, `MODEL_RUNTIME_MISSING`, `MODEL_INVALID` naming the file and what is wrong,
   * `INVALID_ARGUMENT` for options that do not fit
   */
  static async open(model: string, options: OnnxTextEncoderOptions = {}): Promise<OnnxTextEncoder> {
    for (const name of ['batchSize', 'maxLength'] as const) {
      const value = options[name];
      if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
        throw new GranuleError('INVALID_ARGUMENT', `${name} must be a positive integer, got ${value}`, {
          [name]: value,
        });
      }
    }
    const files = await resolveModelFiles(model, options);
    const tokenizer = await OnnxTokenizer.load(files, options.tokenizer);
    const session = await OnnxSession.open(files.model, options);
    try {
      return new OnnxTextEncoder(session, options, await makeTextPlan(session, files, tokenizer, options));
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  private constructor(session: OnnxSession, options: OnnxTextEncoderOptions, plan: TextPlan) {
    this.name = options.name ?? `onnx:${basename(session.file, '.onnx')}`;
    this.version = plan.version;
    this.dimension = plan.pooling === 'none' ? plan.pooled!.dims[1]! : plan.hidden!.dims[2]!;
    this.maxLength = plan.maxLength;
    this.pooling = plan.pooling;
    this.#session = session;
    this.#plan = plan;
  }

  /**
   * @throws GranuleError `NOT_FINITE` where the model gives NaN or infinity, `ABORTED`, `ENCODER_CLOSED`, and what
   * `OnnxSession.run` throws
   */
  encodeQueries(texts: readonly string[], options: EncodeOptions = {}): Promise<TextEmbeddings> {
    return this.#encode(this.#plan.queryPrefix, texts, options);
  }

  /** Errors as for `encodeQueries`. */
  encodePassages(texts: readonly string[], options: EncodeOptions = {}): Promise<TextEmbeddings> {
    return this.#encode(this.#plan.passagePrefix, texts, options);
  }

  /** Frees the model; encoding afterwards fails with `ENCODER_CLOSED`. */
  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #encode(
    prefix: string,
    texts: readonly string[],
    { signal }: EncodeOptions,
  ): Promise<TextEmbeddings> {
    const {
      inputs,
      tokenizer,
      pooling,
      pooled,
      hidden,
      normalize,
      batchSize,
      tokens: wantsTokens,
    } = this.#plan;
    const tokenized = await this.#tokenize(prefix, texts);
    const order = [...tokenized.keys()].sort(
      (a, b) => tokenized[a]!.ids.length - tokenized[b]!.ids.length || a - b,
    );
    const vectors = new Float32Array(texts.length * this.dimension);
    const tokens: Float32Array[] = [];
    const columns = hidden?.dims[2] ?? 0;
    const fetches = [
      ...(pooling === 'none' ? [pooled!] : []),
      ...(pooling !== 'none' || wantsTokens ? [hidden!] : []),
    ];
    const names = fetches.map(({ name }) => name);
    for (let first = 0; first < order.length; first += batchSize) {
      const numbers = order.slice(first, first + batchSize);
      const batch = numbers.map((text) => tokenized[text]!);
      const outputs = await this.#session.run(tokenFeeds(inputs, batch, tokenizer.padId), names, signal);
      for (let i = 0; i < batch.length; i++) {
        const { ids, prefix: before, suffix: after } = batch[i]!;
        const vector =
          pooling === 'none'
            ? itemOf(outputs[pooled!.name]!, i)
            : poolTokens(itemOf(outputs[hidden!.name]!, i), columns, ids.length, pooling);
        const own = vectors.subarray(numbers[i]! * this.dimension, (numbers[i]! + 1) * this.dimension);
        own.set(vector);
        finishRows(own, this.dimension, normalize, 'text', numbers[i]!);
        if (!wantsTokens) continue;
        const rows = itemOf(outputs[hidden!.name]!, i).slice(
          before * columns,
          (ids.length - after) * columns,
        );
        finishRows(rows, columns, normalize, `text ${numbers[i]}, token`, 0);
        tokens[numbers[i]!] = rows;
      }
    }
    const embeddings = { vectors: matrix(vectors, this.dimension) };
    if (!wantsTokens) return embeddings;
    const lengths = Uint32Array.from(tokens, ({ length }) => length / columns);
    return { ...embeddings, tokens: { data: concatenate(tokens), lengths, columns } };
  }

  async #tokenize(prefix: string, texts: readonly string[]): Promise<TokenizedText[]> {
    const tokenized: TokenizedText[] = [];
    for (const text of texts) {
      tokenized.push(this.#plan.tokenizer.encode(prefix + text, this.maxLength));
      // A batch takes milliseconds: other work gets its turn in between.
      if (tokenized.length % this.#plan.batchSize === 0) await new Promise(setImmediate);
    }
    return tokenized;
  }
}

/** Item `item` of the first dimension, as a view. */
function itemOf({ data, dims }: OnnxTensor, item: number): Float32Array {
  const size = data.length / dims[0]!;
  return (data as Float32Array).subarray(item * size, (item + 1) * size);
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
