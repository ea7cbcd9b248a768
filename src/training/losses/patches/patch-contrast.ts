import { GranuleError } from '../../../errors.js';
import { checkKeys, checkTemperature } from '../../../index/arguments.js';
import { inBatchContrast } from '../in-batch-contrast.js';
import { checkChoice, checkLength, type TemperatureOption } from '../loss-arguments.js';
import { filipScore, maxSimScore } from './best-match-scores.js';
import { paclScore } from './pacl-score.js';
import { sparcScore } from './sparc-score.js';
import type { PairScore, VectorSet } from './vector-sets.js';

/** Scores over which {@link patchContrast} contrasts. */
export type PatchScore = 'filip' | 'max-sim' | 'pacl' | 'sparc';

/** Options of {@link patchContrast}; `temperature` is that of the contrast. */
export interface PatchContrastOptions extends TemperatureOption {
  readonly score: PatchScore;
  /** Of the softmax over patches in `pacl`; 1 by default. */
  readonly attentionTemperature?: number | undefined;
}

/** What {@link patchContrast} gives. */
export interface PatchContrast {
  readonly loss: number;
  /** Per text, dL/du. */
  readonly wordGradients: readonly Float64Array[];
  /** Per image, dL/dv. */
  readonly patchGradients: readonly Float64Array[];
  readonly temperatureGradient: number;
  /** Of `pacl`'s softmax over patches; 0 of other scores. */
  readonly attentionTemperatureGradient: number;
}

/**
 * InfoNCE within a batch of n texts and their images over a score of words and patches:
 *
 *     max-sim, pacl, sparc   one matrix S of texts x images, in both directions: `inBatchContrast`
 *     filip                  two matrices, each in its own direction: texts find images by `text-to-image`, images find texts by
 *                            `image-to-text`, L = the mean of the two
 *
 * The oracle of faster forms: all n^2 pairs are scored, and again for the gradient. O(n^2 words x patches x columns).
 *
 * Sources: those of `filipScore`, `maxSimScore`, `paclScore`, `sparcScore`.
 *
 * @param texts - per text its words
 * @param images - per image its patches; image i belongs to text i, and images from n on are hard negatives (not with `filip`, whose images
 * look for texts)
 * @throws GranuleError `INVALID_ARGUMENT`, `DIMENSION_INVALID`, `LENGTH_MISMATCH`, `NOT_FINITE`, `TEMPERATURE_INVALID`
 */
export function patchContrast(
  texts: readonly VectorSet[],
  images: readonly VectorSet[],
  options: PatchContrastOptions,
): PatchContrast {
  checkKeys(options, ['score', 'temperature', 'attentionTemperature']);
  checkLength(texts.length, 'texts');
  const score = checkChoice(options.score, ['filip', 'max-sim', 'pacl', 'sparc'], 'score');
  if (images.length < texts.length || (score === 'filip' && images.length !== texts.length)) {
    throw new GranuleError('LENGTH_MISMATCH', `${texts.length} texts cannot have ${images.length} images`, {
      length: images.length,
    });
  }
  const total = {
    loss: 0,
    wordGradients: texts.map(({ data }) => new Float64Array(data.length)),
    patchGradients: images.map(({ data }) => new Float64Array(data.length)),
    temperatureGradient: 0,
    attentionTemperatureGradient: 0,
  };
  const temperature = checkTemperature(options.temperature ?? 1);
  for (const { pair, direction, weight } of matricesOf(score, options.attentionTemperature)) {
    const cell = (at: number) => pair(texts[Math.floor(at / images.length)]!, images[at % images.length]!);
    const scores = Float64Array.from({ length: texts.length * images.length }, (_, at) => cell(at).score);
    const contrast = inBatchContrast(scores, { queries: texts.length, temperature, direction });
    total.loss += weight * contrast.loss;
    total.temperatureGradient += weight * contrast.temperatureGradient;
    for (const [at, slope] of contrast.gradient.entries()) {
      const found = cell(at);
      add(total.wordGradients[Math.floor(at / images.length)]!, found.wordGradient, weight * slope);
      add(total.patchGradients[at % images.length]!, found.patchGradient, weight * slope);
      total.attentionTemperatureGradient += weight * slope * found.temperatureGradient;
    }
  }
  return total;
}

interface ScoreMatrix {
  readonly pair: (words: VectorSet, patches: VectorSet) => PairScore;
  readonly direction: 'query-to-document' | 'document-to-query' | 'both';
  readonly weight: number;
}

function matricesOf(score: PatchScore, attentionTemperature: number | undefined): readonly ScoreMatrix[] {
  if (score === 'filip') {
    return [
      { pair: (u, v) => filipScore(u, v, 'text-to-image'), direction: 'query-to-document', weight: 0.5 },
      { pair: (u, v) => filipScore(u, v, 'image-to-text'), direction: 'document-to-query', weight: 0.5 },
    ];
  }
  const pair = {
    'max-sim': maxSimScore,
    pacl: (u: VectorSet, v: VectorSet) => paclScore(u, v, { temperature: attentionTemperature }),
    sparc: sparcScore,
  }[score];
  return [{ pair, direction: 'both', weight: 1 }];
}

function add(sum: Float64Array, values: Float64Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[i]!;
}
