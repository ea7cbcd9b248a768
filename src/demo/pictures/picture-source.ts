import type { ImageInput } from '../../encoders/encoder.js';
import { flagPath } from '../countries/flag-images.js';
import { synthesisePicture } from './picture-synthesis.js';

/** Where a picture comes from: a file, or the seed from which a picture of a country's flag is made. */
export type PictureSource = { readonly file: string } | { readonly cca2: string; readonly seed: string };

/** The picture itself: the file's path, or the made picture's JPEG. */
export async function pictureInput(source: PictureSource): Promise<ImageInput> {
  if ('file' in source) return source.file;
  return (await synthesisePicture({ flagSvgPath: flagPath(source.cca2), seed: source.seed })).jpeg;
}
