/** The value below which a share `p` of the values lies, between neighbours where it falls between them. */
export function quantile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * p;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  return low + (high - low) * (place - Math.floor(place));
}

/** Median, and spread: the distance of the quartiles as a share of the median. */
export function summary(values) {
  const median = quantile(values, 0.5);
  return { median, spread: (quantile(values, 0.75) - quantile(values, 0.25)) / median };
}
