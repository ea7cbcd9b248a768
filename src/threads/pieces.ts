/**
 * Divides items into consecutive pieces: as many as `calls`, or more where those were longer than `most`. Where there are no
 * items there is one piece, without any.
 */
export function pieces<T>(items: readonly T[], calls: number, most: number): T[][] {
  const length = Math.max(1, Math.min(most, Math.ceil(items.length / calls)));
  return Array.from({ length: Math.max(1, Math.ceil(items.length / length)) }, (_, i) =>
    items.slice(i * length, (i + 1) * length),
  );
}
