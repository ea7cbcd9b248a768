/** 1 / (1 + exp(-x)), of which no exp overflows. */
export function sigmoid(x: number): number {
  const small = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}

/** ln(1 + exp(x)) = -ln sigmoid(-x), of which no exp overflows. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
