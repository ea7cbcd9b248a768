import sharp from 'sharp';
import type { ImageInput, Quads } from '../../encoders/encoder.js';
import type { PatchMatch } from '../../retrievers/retriever.js';

/** What to draw. */
export interface PatchOutlineOptions {
  readonly picture: ImageInput;
  /** The image of the entity that was found. */
  readonly entityImage: ImageInput;
  readonly matches: readonly PatchMatch[];
  /** Where the entity was found in the picture. */
  readonly region?: Quads;
  /** How many pairs of patches are joined by a line. Default 10. */
  readonly joined?: number;
}

const HEIGHT = 360;
const GAP = 48;
const MARGIN = 12;

interface Panel {
  readonly png: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws a picture and the image of the entity found in it side by side, with the patches that matched outlined in the
 * same colours on both sides. Some pairs that lie far apart in the entity's image are joined by lines.
 *
 * @returns a JPEG
 */
export async function outlinePatches(options: PatchOutlineOptions): Promise<Uint8Array> {
  const picture = await panel(options.picture, MARGIN, MARGIN, HEIGHT);
  const entityHeight = Math.round(HEIGHT * 0.75);
  const entityTop = MARGIN + Math.round((HEIGHT - entityHeight) / 2);
  const entity = await panel(options.entityImage, MARGIN + picture.width + GAP, entityTop, entityHeight);
  const width = entity.left + entity.width + MARGIN;
  const height = HEIGHT + 2 * MARGIN;
  const overlay = Buffer.from(drawing(options, picture, entity, width, height));
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([
      { input: Buffer.from(picture.png), left: picture.left, top: picture.top },
      { input: Buffer.from(entity.png), left: entity.left, top: entity.top },
      { input: overlay, left: 0, top: 0 },
    ])
    .jpeg({ quality: 90 })
    .toBuffer();
}

async function panel(image: ImageInput, left: number, top: number, height: number): Promise<Panel> {
  const { data, info } = await sharp(image)
    .autoOrient()
    .flatten({ background: '#ffffff' })
    .resize({ height, width: 3 * height, fit: 'inside' })
    .png()
    .toBuffer({ resolveWithObject: true });
  return { png: data, left, top, width: info.width, height: info.height };
}

function drawing(
  { matches, region, joined = 10 }: PatchOutlineOptions,
  picture: Panel,
  entity: Panel,
  width: number,
  height: number,
): string {
  const shapes: string[] = [];
  for (const match of matches) {
    const colour = colourOf(match);
    shapes.push(polygon(match.query, picture, colour, 1.6), polygon(match.entity, entity, colour, 1.6));
  }
  for (const match of spread(matches, joined)) {
    const colour = colourOf(match);
    const [x1, y1] = centre(match.query, picture);
    const [x2, y2] = centre(match.entity, entity);
    shapes.push(
      polygon(match.query, picture, colour, 3.5),
      polygon(match.entity, entity, colour, 3.5),
      `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#fff" stroke-width="3.4" stroke-opacity="0.6"/>`,
      `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="1.8"/>`,
    );
  }
  if (region) {
    shapes.push(polygon(region, picture, '#ffffff', 4), polygon(region, picture, '#111111', 2));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes.join('')}</svg>`;
}

/** Of the matches, some far from each other in the entity's image, the most alike first. */
function spread(matches: readonly PatchMatch[], count: number): PatchMatch[] {
  const left = [...matches].sort((a, b) => b.similarity - a.similarity);
  const chosen: PatchMatch[] = [];
  while (chosen.length < count && left.length > 0) {
    const distances = left.map((match) => Math.min(1, ...chosen.map((other) => quadDistance(match, other))));
    chosen.push(...left.splice(distances.indexOf(Math.max(...distances)), 1));
  }
  return chosen;
}

function quadDistance(a: PatchMatch, b: PatchMatch): number {
  return Math.hypot(middle(a.entity, 0) - middle(b.entity, 0), middle(a.entity, 1) - middle(b.entity, 1));
}

/** A colour by the place in the entity's image: the hue goes round its middle. */
function colourOf({ entity }: PatchMatch): string {
  const x = middle(entity, 0) - 0.5;
  const y = middle(entity, 1) - 0.5;
  const hue = Math.round(((Math.atan2(y, x) / Math.PI) * 180 + 360) % 360);
  return `hsl(${hue}, 95%, ${Math.round(70 - 35 * Math.min(1, 1.6 * Math.hypot(x, y)))}%)`;
}

function polygon(quad: Quads, { left, top, width, height }: Panel, colour: string, stroke: number): string {
  const points = [0, 2, 4, 6].map(
    (i) => `${round(left + quad[i]! * width)},${round(top + quad[i + 1]! * height)}`,
  );
  return `<polygon points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="${stroke}"/>`;
}

function centre(quad: Quads, { left, top, width, height }: Panel): [number, number] {
  return [round(left + middle(quad, 0) * width), round(top + middle(quad, 1) * height)];
}

/** Mean of a quad's four x (axis 0) or y (axis 1). */
function middle(quad: Quads, axis: 0 | 1): number {
  return (quad[axis]! + quad[axis + 2]! + quad[axis + 4]! + quad[axis + 6]!) / 4;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
