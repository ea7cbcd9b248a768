import { LAYOUT_DIMENSION } from '../../encoders/descriptor/layout-descriptor.js';
import { GranuleError } from '../../errors.js';
import { similarityTile } from '../../granularity/scores/similarity-tile.js';
import { Tower } from '../../training/towers/tower.js';
import { type Matrix, matrix } from '../../vectors/matrix.js';
import { type StepOptions, takeSteps } from './take-steps.js';
import { type ViewContrastItem, viewContrast } from './view-contrast.js';
import type { PictureViews } from './view-samples.js';

/** By which scores of views against titles are divided. */
export const ENTITY_TEMPERATURE = 0.05;

/** Numbers of the space in which pictures and titles meet. */
const SPACE = 64;
const HIDDEN = 256;

/** A cross-modal space: <image(view), title(title's text vector)>. */
export interface EntityTowers {
  readonly image: Tower;
  readonly title: Tower;
}

/**
 * Learns a space in which a picture of a flag finds its country's title, by {@link viewContrast} over all trained titles: nothing of the
 * flags' own images is used, only made pictures and titles. A picture with several flags stands once for each, without the views that show
 * the others.
 *
 * @param pictures - views of made pictures
 * @param titles - frozen vectors of the trained titles
 * @param codes - their two-letter codes, by row
 * @throws GranuleError `INVALID_ARGUMENT` for a flag whose title is not among them; `TRAINING_DIVERGED`, `ABORTED`
 */
export async function trainEntityTowers(
  pictures: readonly PictureViews[],
  titles: Matrix,
  codes: readonly string[],
  options: StepOptions,
): Promise<EntityTowers> {
  const { seed, threads = 0, signal } = options;
  const image = await Tower.create(
    { kind: 'mlp', input: LAYOUT_DIMENSION, hidden: HIDDEN, output: SPACE },
    { seed: `image ${seed}`, signal },
  );
  const title = await Tower.create(
    { kind: 'linear', input: titles.columns, output: SPACE, bias: false },
    { seed: `title ${seed}`, signal },
  );
  const shown = pictures.flatMap((picture) => picture.flags.map((_, flag) => ({ picture, flag })));
  await takeSteps('entity towers', { image, title }, shown, options, async (batch) => {
    const seen = await image.forward(viewsOf(batch.map(({ picture }) => picture)), { threads, signal });
    const named = await title.forward(titles, { threads, signal });
    const similarities = await similarityTile(seen.outputs, named.outputs, { threads, signal });
    const items = contrastItems(batch, codes).map((item, i) => {
      const { picture, flag } = batch[i]!;
      // What shows another flag is no mistake.
      return {
        ...item,
        allowed: Uint8Array.from(picture.flagOf, (shown) => (shown === flag || shown === -1 ? 1 : 0)),
      };
    });
    const found = viewContrast(seen.outputs, named.outputs, similarities, items, ENTITY_TEMPERATURE);
    await seen.backward(matrix(found.views, SPACE), { threads, signal });
    await named.backward(matrix(found.titles, SPACE), { threads, signal });
    return found.loss;
  });
  return { image, title };
}

/** Vectors of all views of some pictures, one picture after the other. */
export function viewsOf(pictures: readonly PictureViews[]): Matrix {
  const length = pictures.reduce((sum, { vectors }) => sum + vectors.length, 0);
  const data = new Float32Array(length);
  let at = 0;
  for (const { vectors } of pictures) {
    data.set(vectors, at);
    at += vectors.length;
  }
  return matrix(data, LAYOUT_DIMENSION);
}

/**
 * What a contrast needs of some pictures whose views lie one after the other, each asked for the title of one of its flags.
 *
 * @param codes - two-letter codes of the titles, by row
 * @throws GranuleError `INVALID_ARGUMENT` for a flag whose title is not among them
 */
export function contrastItems(
  batch: readonly { readonly picture: PictureViews; readonly flag: number }[],
  codes: readonly string[],
): Pick<ViewContrastItem, 'first' | 'count' | 'title'>[] {
  let first = 0;
  return batch.map(({ picture, flag }) => {
    const code = picture.flags[flag]!;
    const title = codes.indexOf(code);
    if (title < 0)
      throw new GranuleError('INVALID_ARGUMENT', `${code} has no title to be trained on`, { code });
    const count = picture.flagOf.length;
    first += count;
    return { first: first - count, count, title };
  });
}
