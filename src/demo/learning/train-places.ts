import { similarityTile } from '../../granularity/scores/similarity-tile.js';
import { Tower } from '../../training/towers/tower.js';
import { pickedRows } from '../../training/trainer/picked-rows.js';
import { type Matrix, matrix, matrixRow } from '../../vectors/matrix.js';
import { type StepOptions, takeSteps } from './take-steps.js';
import { contrastItems, ENTITY_TEMPERATURE, type EntityTowers, viewsOf } from './train-entity-towers.js';
import { viewContrast } from './view-contrast.js';
import { PLACE_FEATURES, placeBiases, placeFeatures } from './view-places.js';
import type { PictureViews } from './view-samples.js';

/** A picture and a question about one of its flags. */
export interface PlaceExample {
  readonly picture: PictureViews;
  /** Number of the flag that is asked about. */
  readonly flag: number;
  /** Row of the question's vector. */
  readonly question: number;
}

/**
 * Learns which views of a picture a question is about, from pictures, questions and the right countries alone; nobody says where in the
 * picture the flag is. By {@link viewContrast} over all trained titles, with
 *
 *     s(q, e) = max over views v of <image(v), title(e)> / temperature + <place(v), where(q)>
 *
 * Pictures of one flag, with questions that name no place, teach that such questions are about any view. The tower `where` is linear
 * and begins at 0; the entity towers stay as they are.
 *
 * @param questions - frozen vectors of the questions
 * @param titles - frozen vectors of the trained titles
 * @param codes - their two-letter codes, by row
 * @throws GranuleError `INVALID_ARGUMENT` for a flag whose title is not among them; `TRAINING_DIVERGED`, `ABORTED`
 */
export async function trainPlaces(
  examples: readonly PlaceExample[],
  questions: Matrix,
  titles: Matrix,
  codes: readonly string[],
  { image, title }: EntityTowers,
  options: StepOptions,
): Promise<Tower> {
  const { threads = 0, signal } = options;
  const where = Tower.from(
    { kind: 'linear', input: questions.columns, output: PLACE_FEATURES, bias: false, normalise: false },
    { weight: new Float32Array(questions.columns * PLACE_FEATURES) },
  );
  const named = await title.encode(titles, { threads, signal });
  await takeSteps('places', { where }, examples, options, async (batch) => {
    const pictures = batch.map(({ picture }) => picture);
    const views = await image.encode(viewsOf(pictures), { threads, signal });
    const rows = batch.map(({ question }) => question);
    const asked = await where.forward(pickedRows(questions, rows), { threads, signal });
    const features = pictures.map(({ quads }) => placeFeatures(quads));
    const items = contrastItems(batch, codes).map((item, i) => ({
      ...item,
      biases: placeBiases(features[i]!, matrixRow(asked.outputs, i)),
    }));
    const similarities = await similarityTile(views, named, { threads, signal });
    const found = viewContrast(views, named, similarities, items, ENTITY_TEMPERATURE);
    await asked.backward(matrix(placeGradient(features, found.biases), PLACE_FEATURES), { threads, signal });
    return found.loss;
  });
  return where;
}

/** dL/d(where(q)) of each question, from that of its biases. */
function placeGradient(features: readonly Float64Array[], biases: readonly Float64Array[]): Float32Array {
  const gradient = new Float64Array(biases.length * PLACE_FEATURES);
  for (const [i, slopes] of biases.entries()) {
    for (const [view, slope] of slopes.entries()) {
      for (let f = 0; f < PLACE_FEATURES; f++) {
        gradient[i * PLACE_FEATURES + f]! += slope * features[i]![view * PLACE_FEATURES + f]!;
      }
    }
  }
  return Float32Array.from(gradient);
}
