import type { SeededRandom } from '../../ranking/seeded-random.js';

/** A picture under construction: width x height pixels of three values (red, green, blue), each from 0 to 255. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Float32Array;
}

type Colour = readonly [red: number, green: number, blue: number];
type Paint = (x: number, y: number) => Colour;
type Shape = (u: number, v: number, flatness: number) => boolean;

/** Fills a canvas with a ground (plain, gradient, texture or stripes) and shapes on it. */
export function paintClutter(canvas: Canvas, random: SeededRandom): void {
  const { width, height } = canvas;
  fill(canvas, 0, 0, width, height, randomPaint(canvas, random, 1), () => true);
  const largest = Math.max(width, height);
  const shapes = random.integer(6, 40);
  for (let shape = 0; shape < shapes; shape++) {
    const x = random.uniform(-0.1, 1.1) * width;
    const y = random.uniform(-0.1, 1.1) * height;
    const size = largest * random.uniform(0.03, 0.28);
    paintShape(canvas, random, x, y, size, randomPaint(canvas, random, 0.3));
  }
}

/** Shapes of unit size, made flatter or thinner by a number from 0.3 to 1. None reaches further than `reach`. */
const SHAPES: readonly { readonly reach: readonly [u: number, v: number]; readonly inside: Shape }[] = [
  { reach: [0.7, 0.7], inside: (u, v, flatness) => Math.abs(u) < 0.7 && Math.abs(v) < 0.7 * flatness },
  { reach: [1, 1], inside: (u, v, flatness) => u * u + (v * v) / (flatness * flatness) < 1 },
  { reach: [1, 1], inside: (u, v, flatness) => u * u + v * v < 1 && u * u + v * v > flatness * 0.8 },
  { reach: [0.85, 0.9], inside: (u, v, flatness) => v > -0.6 && v < 0.9 - 1.8 * Math.abs(u / flatness) },
  {
    reach: [2.5, 0.07],
    inside: (u, v, flatness) => Math.abs(v) < 0.06 * flatness + 0.01 && Math.abs(u) < 2.5,
  },
];

function paintShape(
  canvas: Canvas,
  random: SeededRandom,
  x: number,
  y: number,
  size: number,
  paint: Paint,
): void {
  const angle = random.uniform(0, Math.PI);
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const flatness = random.uniform(0.3, 1);
  const shape = random.pick(SHAPES);
  const inside = (px: number, py: number): boolean => {
    const u = ((px - x) * cosine + (py - y) * sine) / size;
    const v = ((py - y) * cosine - (px - x) * sine) / size;
    return shape.inside(u, v, flatness);
  };
  const [u, v] = shape.reach;
  const reachX = size * (Math.abs(cosine) * u + Math.abs(sine) * v);
  const reachY = size * (Math.abs(sine) * u + Math.abs(cosine) * v);
  fill(canvas, x - reachX, y - reachY, x + reachX, y + reachY, paint, inside);
}

function fill(
  canvas: Canvas,
  left: number,
  top: number,
  right: number,
  bottom: number,
  paint: Paint,
  inside: (x: number, y: number) => boolean,
): void {
  const { width, height, pixels } = canvas;
  const lastX = Math.min(width, Math.ceil(right));
  const lastY = Math.min(height, Math.ceil(bottom));
  for (let y = Math.max(0, Math.floor(top)); y < lastY; y++) {
    for (let x = Math.max(0, Math.floor(left)); x < lastX; x++) {
      if (inside(x, y)) {
        const colour = paint(x, y);
        const pixel = (y * width + x) * 3;
        pixels[pixel] = colour[0];
        pixels[pixel + 1] = colour[1];
        pixels[pixel + 2] = colour[2];
      }
    }
  }
}

/** A way of colouring; a ground (`patterned` 1) is a pattern more often than a shape on it. */
function randomPaint(canvas: Canvas, random: SeededRandom, patterned: number): Paint {
  const first = randomColour(random);
  if (!random.chance(0.25 + 0.5 * patterned)) {
    return () => first;
  }
  const second = randomColour(random);
  const angle = random.pick([0, Math.PI / 2, random.uniform(0, Math.PI)]);
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const size = Math.max(canvas.width, canvas.height);
  switch (random.pick(['gradient', 'stripes', 'checks', 'texture'])) {
    case 'gradient':
      return (x, y) =>
        mix(first, second, clamp(0.5 + ((x - size / 2) * cosine + (y - size / 2) * sine) / size));
    case 'stripes': {
      const colours = [first, second, randomColour(random)].slice(0, random.integer(2, 3));
      const pitch = size * random.uniform(0.02, 0.2);
      return (x, y) => colours[Math.floor((x * cosine + y * sine) / pitch + 1000) % colours.length] as Colour;
    }
    case 'checks': {
      const pitch = size * random.uniform(0.02, 0.12);
      return (x, y) => {
        const u = Math.floor((x * cosine + y * sine) / pitch);
        const v = Math.floor((y * cosine - x * sine) / pitch);
        return (u + v) & 1 ? first : second;
      };
    }
    default:
      return texture(first, second, size * random.uniform(0.015, 0.15), random);
  }
}

/** Two octaves of value noise between two colours; `pitch` is the coarser grid's in pixels. */
function texture(first: Colour, second: Colour, pitch: number, random: SeededRandom): Paint {
  const side = 64;
  const grid = Float32Array.from({ length: side * side }, () => random.uniform());
  const at = (x: number, y: number): number => {
    const left = Math.floor(x);
    const top = Math.floor(y);
    const value = (column: number, row: number) =>
      grid[(row & (side - 1)) * side + (column & (side - 1))] as number;
    const u = x - left;
    const upper = value(left, top) * (1 - u) + value(left + 1, top) * u;
    const lower = value(left, top + 1) * (1 - u) + value(left + 1, top + 1) * u;
    return upper + (lower - upper) * (y - top);
  };
  return (x, y) =>
    mix(first, second, 0.65 * at(x / pitch, y / pitch) + 0.35 * at((2.3 * x) / pitch, (2.3 * y) / pitch));
}

/** Saturated, muted, and grey colours, in about equal parts. */
function randomColour(random: SeededRandom): Colour {
  const saturation = random.pick([
    random.uniform(0.75, 1),
    random.uniform(0.2, 0.7),
    random.uniform(0, 0.15),
  ]);
  const value = random.uniform(0.08, 1);
  const hue = random.uniform(0, 6);
  const channel = (offset: number) => {
    const position = (offset + hue) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(position, 4 - position, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

function mix(first: Colour, second: Colour, share: number): Colour {
  return [
    first[0] + (second[0] - first[0]) * share,
    first[1] + (second[1] - first[1]) * share,
    first[2] + (second[2] - first[2]) * share,
  ];
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
