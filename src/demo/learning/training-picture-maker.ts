import { DescriptorImageEncoder } from '../../encoders/descriptor/descriptor-image-encoder.js';
import { FlatIndex } from '../../index/flat-index.js';
import { countryFacts } from '../countries/country-facts.js';
import { flagPath } from '../countries/flag-images.js';
import type { PlaceName } from '../pictures/flag-places.js';
import { synthesisePicture } from '../pictures/picture-synthesis.js';
import { synthesiseSeveralFlags } from '../pictures/several-flags.js';
import { type PictureViews, sampleViews } from './view-samples.js';

/** A picture to learn from. */
export interface TrainingPicture {
  /** One to four codes. */
  readonly flags: readonly string[];
  readonly seed: string;
}

/** What is kept of it. */
export interface SeenPicture {
  readonly views: PictureViews;
  /** Where each flag stands; none where there is but one. */
  readonly places: readonly PlaceName[];
}

/** Pixels: about as many as pictures are scaled to before anything looks at them. */
const WIDTH = 340;

/** Makes pictures and looks at them; each thread has one. */
export class TrainingPictureMaker {
  readonly #codes = countryFacts().map(({ cca2 }) => cca2);
  #flagImages: Promise<FlatIndex> | undefined;

  /** Makes a picture, and keeps views of it. */
  async make({ flags, seed }: TrainingPicture): Promise<SeenPicture> {
    this.#flagImages ??= indexFlags(this.#codes);
    const { jpeg, quads, places } = await painted(flags, seed);
    const known = { picture: jpeg, flags, quads };
    return { views: await sampleViews(known, await this.#flagImages, this.#codes, seed), places };
  }
}

async function painted(flags: readonly string[], seed: string) {
  if (flags.length === 1) {
    const { jpeg, quad } = await synthesisePicture({ flagSvgPath: flagPath(flags[0]!), seed, width: WIDTH });
    return { jpeg, quads: quad, places: [] };
  }
  const { jpeg, quads, places } = await synthesiseSeveralFlags({
    flags: flags.map((cca2) => ({ cca2, svgPath: flagPath(cca2) })),
    seed,
    width: WIDTH,
  });
  return { jpeg, quads: Float32Array.from(quads.flatMap((quad) => [...quad])), places };
}

async function indexFlags(codes: readonly string[]): Promise<FlatIndex> {
  const { vectors } = await new DescriptorImageEncoder().encodeImages(codes.map(flagPath));
  const index = new FlatIndex({ dimension: vectors.columns, threads: 1 });
  await index.add(vectors);
  return index;
}
