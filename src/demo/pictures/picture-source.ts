import type { ImageInput } from '../../encoders/encoder.js';
import { flagPath } from '../countries/flag-images.js';
import type { PlaceName } from './flag-places.js';
import { synthesisePicture } from './picture-synthesis.js';
import { synthesiseSeveralFlags } from './several-flags.js';

/** What a made picture of several flags is made from. */
export interface SeveralFlagsSource {
  /** Two to four countries by two-letter code in upper case; no two whose flags look the same. */
  readonly flags: readonly string[];
  /** Where each flag stands; where absent, drawn by the seed. */
  readonly places?: readonly PlaceName[];
  readonly seed: number | string;
}

/** Where a picture comes from: a file, or what a picture of one country's flag or of several is made from. */
export type PictureSource =
  | { readonly file: string }
  | { readonly cca2: string; readonly seed: string }
  | SeveralFlagsSource;

/** The picture itself: the file's path, or the made picture's JPEG. */
export async function pictureInput(source: PictureSource): Promise<ImageInput> {
  if ('file' in source) return source.file;
  if ('cca2' in source) {
    return (await synthesisePicture({ flagSvgPath: flagPath(source.cca2), seed: source.seed })).jpeg;
  }
  const flags = source.flags.map((cca2) => ({ cca2, svgPath: flagPath(cca2) }));
  return (await synthesiseSeveralFlags({ ...source, flags })).jpeg;
}
