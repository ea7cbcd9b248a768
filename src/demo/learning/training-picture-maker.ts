import { DescriptorImageEncoder } from '../../encoders/descriptor/descriptor-image-encoder.js';
import { FlatIndex } from '../../index/flat-index.js';
import { countryFacts } from '../countries/country-facts.js';
import { flagPath } from '../countries/flag-images.js';
import type { PlaceName } from '../pictures/flag-places.js';
import { synthesisePicture } from '../pictures/picture-synthesis.js';
import { synthesiseSeveralFlags } from '../pictures/several-flags.js';
import { type KnownFlags, type PictureViews, sampleViews } from './view-samples.js';

/** A picture to learn from. */
export interface TrainingPicture {
  /** One to four countries by two-letter code. */
  readonly flags: readonly string[];
  /** Where each flag stands, where there are several; drawn where absent. */
  readonly places?: readonly PlaceName[];
  readonly seed: string;
}

/** Pixels: about as many as pictures are scaled to before anything looks at them. */
const WIDTH = 340;

/** Makes pictures and looks at them; each thread has one. */
export class TrainingPictureMaker {
  readonly #codes = countryFacts().map(({ cca2 }) => cca2);
  #flagImages: Promise<FlatIndex> | undefined;

  /** Makes a picture, and keeps views of it. */
  async make(picture: TrainingPicture): Promise<PictureViews> {
    this.#flagImages ??= indexFlags(this.#codes);
    return sampleViews(await painted(picture), await this.#flagImages, this.#codes, picture.seed);
  }
}

async function painted(source: TrainingPicture): Promise<KnownFlags> {
  const { flags, seed } = source;
  if (flags.length === 1) {
    const { jpeg, quad } = await synthesisePicture({ flagSvgPath: flagPath(flags[0]!), seed, width: WIDTH });
    return { picture: jpeg, flags, quads: quad };
  }
  const { jpeg, quads } = await synthesiseSeveralFlags({
    ...source,
    flags: flags.map((cca2) => ({ cca2, svgPath: flagPath(cca2) })),
    width: WIDTH,
  });
  return { picture: jpeg, flags, quads: Float32Array.from(quads.flatMap((quad) => [...quad])) };
}

async function indexFlags(codes: readonly string[]): Promise<FlatIndex> {
  const { vectors } = await new DescriptorImageEncoder().encodeImages(codes.map(flagPath));
  const index = new FlatIndex({ dimension: vectors.columns, threads: 1 });
  await index.add(vectors);
  return index;
}
