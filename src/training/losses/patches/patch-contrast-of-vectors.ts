import { GranuleError } from '../../../errors.js';
import { checkKeys, checkSignal, checkTemperature, show } from '../../../index/arguments.js';
import { abortable } from '../../../native/abortable.js';
import { loadAddon } from '../../../native/load-addon.js';
import { type NativePatchScore, PATCH_SCORE_CODES } from '../../../native/training-types.js';
import type { RaggedMatrix } from '../../../vectors/matrix.js';
import { checkTowerVectors } from '../../towers/tower-vectors.js';
import {
  checkVectorContrast,
  gradientNumbers,
  VECTOR_CONTRAST_OPTIONS,
  type VectorContrastOptions,
} from '../contrast-arguments.js';
import { checkChoice } from '../loss-arguments.js';

/** Options of {@link patchContrastOfVectors}; a group is one of images, a weight one of a text. */
export interface PatchVectorContrastOptions extends VectorContrastOptions {
  /** `mean-max-sim` is `max-sim` divided by the number of words. */
  readonly score: NativePatchScore;
  /** Of the softmax over patches in `pacl`; 1 by default. */
  readonly attentionTemperature?: number | undefined;
}

/** What {@link patchContrastOfVectors} gives. */
export interface PatchVectorContrast {
  readonly loss: number;
  /** dL/du, as the words lie. */
  readonly wordGradient: RaggedMatrix;
  /** dL/dv, as the patches lie. */
  readonly patchGradient: RaggedMatrix;
  /** dL/dt. For a learned ln t it is t times this. */
  readonly temperatureGradient: number;
  /** Of `pacl`'s softmax over patches; 0 of other scores. */
  readonly attentionTemperatureGradient: number;
}

/**
 * `patchContrast` on the engine's threads, from vectors of towers, with the groups, weights and directions of `inBatchContrastOfVectors`:
 * text i's image is image i, further images are hard negatives. With `filip` texts look for images by mean_i max_j, images for texts by
 * mean_j max_i.
 *
 * Similarities and gradients are float32, everything between them float64: the same bits for every number of threads and on every machine. Costs
 * four products of matrices of words x patches x columns, and 8 MiB or one text's similarities with all patches.
 *
 * Sources: those of `filipScore`, `maxSimScore`, `paclScore`, `sparcScore`.
 *
 * @param texts - per text its words, at least one; left as they are until the promise settles
 * @param images - per image its patches, at least one
 * @throws GranuleError `INVALID_ARGUMENT`, `LENGTH_MISMATCH`, `TEMPERATURE_INVALID`, `OUT_OF_MEMORY`, `ABORTED`; `EMPTY_DOCUMENT` for a list
 * without vectors; `TARGET_INVALID` for weights below 0, or of which none is above 0; `NOT_FINITE` with `details.row` and `.column` of a vector or a
 * similarity, and where the loss or a gradient is not
 */
export async function patchContrastOfVectors(
  texts: RaggedMatrix,
  images: RaggedMatrix,
  options: PatchVectorContrastOptions,
): Promise<PatchVectorContrast> {
  checkKeys(options, [...VECTOR_CONTRAST_OPTIONS, 'score', 'attentionTemperature']);
  const columns = texts?.columns;
  const words = checkLists(texts, columns, 'texts');
  const patches = checkLists(images, columns, 'images');
  const scores = Object.keys(PATCH_SCORE_CODES) as NativePatchScore[];
  const native = {
    ...checkVectorContrast(options, columns, words.lengths.length, patches.lengths.length),
    score: PATCH_SCORE_CODES[checkChoice(options.score, scores, 'score')],
    attentionTemperature: checkTemperature(options.attentionTemperature ?? 1),
  };
  const gradients = {
    words: gradientNumbers(options, words.data.length),
    patches: gradientNumbers(options, patches.data.length),
  };
  const found = await abortable(checkSignal(options.signal), (cancel) =>
    loadAddon().patchContrast(words, patches, { ...native, cancel }, gradients),
  );
  return {
    ...found,
    wordGradient: { data: gradients.words, lengths: texts.lengths, columns },
    patchGradient: { data: gradients.patches, lengths: images.lengths, columns },
  };
}

function checkLists(lists: RaggedMatrix, columns: number, name: string) {
  const data = checkTowerVectors(lists, columns, name);
  if (!('lengths' in lists)) {
    throw new GranuleError('INVALID_ARGUMENT', `${name} must be a ragged matrix, got ${show(lists)}`);
  }
  const row = lists.lengths.indexOf(0);
  if (row !== -1) throw new GranuleError('EMPTY_DOCUMENT', `${name} has no vectors at ${row}`, { row });
  return { data, lengths: lists.lengths };
}
