/** Text as it stands in HTML and SVG, between tags and in quoted attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** How many looks a series can have; further ones begin again. */
export const SERIES_LOOKS = 6;

/** The class of a series: its colour, and the dashes of its line. */
export function seriesClass(series: number): string {
  return `series-${series % SERIES_LOOKS}`;
}

/** What a chart is called, and says to those who do not see it. */
export interface ChartTexts {
  /** Unique within the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** A picture with a name and a description for screen readers; `content` is SVG. */
export function svgPicture(texts: ChartTexts, width: number, height: number, content: string): string {
  const { id, title, description } = texts;
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description">`,
    `<title id="${id}-title">${escaped(title)}</title>`,
    `<desc id="${id}-description">${escaped(description)}</desc>`,
    content,
    '</svg>',
  ].join('\n');
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line class="${className}" x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}"/>`;
}

/** A rectangle that shows a text where the pointer rests on it. */
export function bar(
  x: number,
  y: number,
  width: number,
  height: number,
  className: string,
  hint: string,
): string {
  const box = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
  return `<rect class="${className}" ${box}><title>${escaped(hint)}</title></rect>`;
}

/** A line of text; one that is too long is cut, and shows itself whole where the pointer rests on it. */
export function label(
  x: number,
  y: number,
  text: string,
  className = '',
  longest = Number.POSITIVE_INFINITY,
): string {
  const characters = [...text];
  const attributes = `${className && ` class="${className}"`} x="${short(x)}" y="${short(y)}"`;
  if (characters.length <= longest) return `<text${attributes}>${escaped(text)}</text>`;
  const cut = `${characters.slice(0, longest - 1).join('')}…`;
  return `<text${attributes}>${escaped(cut)}<title>${escaped(text)}</title></text>`;
}

/** Round numbers from 0 to at least `greatest`, about five of them: steps of 1, 2 or 5 times a power of ten. */
export function axisTicks(greatest: number): number[] {
  if (!(greatest > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(greatest / 5));
  const factor = [1, 2, 5, 10].find((candidate) => (candidate * power * 5) / greatest >= 1 - 1e-9)!;
  const digits = Math.max(0, -Math.floor(Math.log10(factor * power) + 1e-9));
  const steps = Math.ceil(greatest / (factor * power) - 1e-9);
  return Array.from({ length: steps + 1 }, (_, i) =>
    Number((i * factor * power).toFixed(Math.min(digits, 100))),
  );
}

/** A coordinate with two decimals at most. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
