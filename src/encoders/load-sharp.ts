import type sharp from 'sharp';

/**
 * The image library, loaded when the first image is decoded: whoever only searches vectors never loads it, and needs none
 * for their platform.
 */
export async function loadSharp(): Promise<typeof sharp> {
  return (await import('sharp')).default;
}
