import { canonicalExp } from '../../training/policies/canonical-exp.js';
import { canonicalLog } from '../../training/policies/canonical-log.js';
import type { Matrix } from '../../vectors/matrix.js';

/** A picture of a batch, asked for one title. */
export interface ViewContrastItem {
  /** Its first view among those of the batch, and how many follow. */
  readonly first: number;
  readonly count: number;
  /** Row of the right title. */
  readonly title: number;
  /** Per view of the picture, whether it counts; all by default. */
  readonly allowed?: Uint8Array | undefined;
  /** Per view of the picture, what is added to its scores; 0 by default. */
  readonly biases?: Float64Array | undefined;
}

/** The loss and its gradients. */
export interface ViewContrast {
  readonly loss: number;
  /** dL/d(view), views x columns. */
  readonly views: Float32Array;
  /** dL/d(title), titles x columns. */
  readonly titles: Float32Array;
  /** Per item, dL/d(bias) of its views. */
  readonly biases: readonly Float64Array[];
}

/**
 * Contrast of pictures with titles by late interaction over the pictures' views:
 *
 *     s(p, t) = max over views v of p of <v, t> / temperature + bias(v)
 *     L = mean over items of -ln softmax over all titles of s(p, .) at the right title
 *
 * Only a picture is known to show its title, not where: the view that fits best gets the gradient, and what looks like another title
 * anywhere in the picture is pushed away from it. Of equal views the first counts. Float64, but for the vectors.
 *
 * @param views - vectors of all views of the batch
 * @param titles - vectors of all titles
 * @param similarities - views x titles
 */
export function viewContrast(
  views: Matrix,
  titles: Matrix,
  similarities: Matrix,
  items: readonly ViewContrastItem[],
  temperature: number,
): ViewContrast {
  const { columns } = views;
  const viewGradient = new Float64Array(views.data.length);
  const titleGradient = new Float64Array(titles.data.length);
  const biases: Float64Array[] = [];
  let loss = 0;
  for (const item of items) {
    const { best, scores } = bestViewsOf(item, similarities, temperature);
    const { probabilities, logNormaliser } = softmax(scores);
    loss += (logNormaliser - scores[item.title]!) / items.length;
    const biasGradient = new Float64Array(item.count);
    for (let title = 0; title < titles.rows; title++) {
      const slope = (probabilities[title]! - (title === item.title ? 1 : 0)) / items.length;
      const view = best[title]!;
      biasGradient[view - item.first]! += slope;
      for (let i = 0; i < columns; i++) {
        viewGradient[view * columns + i]! += (slope / temperature) * titles.data[title * columns + i]!;
        titleGradient[title * columns + i]! += (slope / temperature) * views.data[view * columns + i]!;
      }
    }
    biases.push(biasGradient);
  }
  return {
    loss,
    views: Float32Array.from(viewGradient),
    titles: Float32Array.from(titleGradient),
    biases,
  };
}

/** Per title the score of the picture, and the view that it comes from. */
function bestViewsOf(
  { first, count, allowed, biases }: ViewContrastItem,
  { data, columns }: Matrix,
  temperature: number,
): { readonly best: Int32Array; readonly scores: Float64Array } {
  const scores = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
  const best = new Int32Array(columns);
  for (let view = 0; view < count; view++) {
    if (allowed !== undefined && allowed[view] === 0) continue;
    const bias = biases?.[view] ?? 0;
    const row = (first + view) * columns;
    for (let title = 0; title < columns; title++) {
      const score = data[row + title]! / temperature + bias;
      if (score > scores[title]!) {
        scores[title] = score;
        best[title] = first + view;
      }
    }
  }
  return { best, scores };
}

function softmax(scores: Float64Array) {
  const greatest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const weights = scores.map((score) => canonicalExp(score - greatest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return {
    probabilities: weights.map((weight) => weight / sum),
    logNormaliser: greatest + canonicalLog(sum),
  };
}
