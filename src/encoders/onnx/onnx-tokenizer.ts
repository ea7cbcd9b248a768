import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tokenizer } from '@huggingface/tokenizers';
import { GranuleError } from '../../errors.js';
import { type ModelFiles, parseConfig, readConfig } from './model-files.js';

/** Texts that are tried to learn which special tokens are put around a text. */
const PROBES = ['a', 'A', 'the', '0', '.'];

/** A text's token ids: `prefix` special ones, its own, `suffix` special ones. */
export interface TokenizedText {
  readonly ids: readonly number[];
  readonly prefix: number;
  readonly suffix: number;
}

/** What is used of the tokenizers package, whose own declarations do not resolve in an ES module. */
interface LoadedTokenizer {
  encode(
    text: string,
    options: { add_special_tokens: boolean },
  ): { ids: (number | undefined)[]; tokens: string[] };
  token_to_id(token: string): number | undefined;
}

/**
 * A model's own tokenizer: `tokenizer.json`, with `tokenizer_config.json` where present. Special tokens are put around
 * the text as the tokenizer says, and kept when a long text is cut.
 */
export class OnnxTokenizer {
  /** File that it was read from. */
  readonly file: string;
  /** Most tokens of a text that the configuration names, special ones included; undefined where it names none. */
  readonly maxLength: number | undefined;
  /** Fills the places after a text in a batch. */
  readonly padId: number;
  readonly #tokenizer: LoadedTokenizer;
  readonly #prefix: readonly number[];
  readonly #suffix: readonly number[];

  /**
   * @param path - a `tokenizer.json` or a folder that holds one; default: the model's
   * @throws GranuleError `FILE_NOT_FOUND`, `MODEL_INVALID`
   */
  static async load(files: ModelFiles, path?: string): Promise<OnnxTokenizer> {
    const folders = path === undefined ? files.folders : [path];
    const candidates = [
      ...folders.map((folder) => join(folder, 'tokenizer.json')),
      ...(path === undefined ? [] : [path]),
    ];
    for (const candidate of candidates) {
      if (!(await stat(candidate).catch(() => undefined))?.isFile()) continue;
      const settings = parseConfig(candidate, await readFile(candidate, 'utf8'));
      const config = (await readConfig({ model: files.model, folders }, 'tokenizer_config.json')) ?? {};
      const library = await import('@huggingface/tokenizers');
      return new OnnxTokenizer(library.Tokenizer, candidate, settings, config);
    }
    throw new GranuleError(
      'FILE_NOT_FOUND',
      `no tokenizer.json for ${files.model}: looked for ${candidates.join(', ')}`,
      {
        file: candidates[0]!,
      },
    );
  }

  private constructor(
    tokenizer: typeof Tokenizer,
    file: string,
    settings: Readonly<Record<string, unknown>>,
    config: Readonly<Record<string, unknown>>,
  ) {
    this.file = file;
    try {
      this.#tokenizer = new tokenizer({ added_tokens: [], ...settings }, config) as LoadedTokenizer;
      [this.#prefix, this.#suffix] = this.#specialTokens();
    } catch (error) {
      if (error instanceof GranuleError) throw error;
      throw new GranuleError(
        'MODEL_INVALID',
        `the tokenizer ${file} cannot be used: ${(error as Error).message}`,
        { file },
        { cause: error },
      );
    }
    const truncation = settings['truncation'] as { max_length?: number } | null | undefined;
    const stated = config['model_max_length'];
    // Tokenizers without a limit state a huge one.
    this.maxLength =
      truncation?.max_length ?? (typeof stated === 'number' && stated < 1e6 ? stated : undefined);
    const padding = settings['padding'] as { pad_id?: number } | null | undefined;
    const padToken = config['pad_token'] as string | { content?: string } | null | undefined;
    const padText = typeof padToken === 'string' ? padToken : padToken?.content;
    this.padId =
      padding?.pad_id ?? (padText === undefined ? undefined : this.#tokenizer.token_to_id(padText)) ?? 0;
  }

  /** Special tokens around every text: before and after. */
  get specialTokens(): number {
    return this.#prefix.length + this.#suffix.length;
  }

  /**
   * Token ids of `text`, cut after `maxLength` tokens, special ones included.
   *
   * @throws GranuleError `MODEL_INVALID` where a token has no id
   */
  encode(text: string, maxLength: number): TokenizedText {
    const own = this.#ids(text, false).slice(0, Math.max(0, maxLength - this.specialTokens));
    return {
      ids: [...this.#prefix, ...own, ...this.#suffix],
      prefix: this.#prefix.length,
      suffix: this.#suffix.length,
    };
  }

  #ids(text: string, special: boolean): number[] {
    const { ids, tokens } = this.#tokenizer.encode(text, { add_special_tokens: special });
    const missing = ids.findIndex((id) => !Number.isSafeInteger(id));
    if (missing >= 0) {
      throw new GranuleError(
        'MODEL_INVALID',
        `the tokenizer ${this.file} has neither the token '${tokens[missing]}' nor one for unknown words`,
        { file: this.file },
      );
    }
    return ids as number[];
  }

  #specialTokens(): [number[], number[]] {
    for (const probe of PROBES) {
      const own = this.#ids(probe, false);
      const all = this.#ids(probe, true);
      const start = all.findIndex((_, at) => own.length > 0 && own.every((id, i) => all[at + i] === id));
      if (start >= 0) return [all.slice(0, start), all.slice(start + own.length)];
    }
    throw new GranuleError(
      'MODEL_INVALID',
      `the tokenizer ${this.file} finds no token in '${PROBES.join("', '")}'`,
      {
        file: this.file,
      },
    );
  }
}
