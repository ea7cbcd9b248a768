/** One line of JSON; typed arrays become arrays, and float32 numbers are written with the 7 digits that they have. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Float32Array ? Array.from(part, (number) => Number(number.toPrecision(7))) : part,
  );
}
