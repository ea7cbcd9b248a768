const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Start of a hash; different seeds give unrelated hashes of the same characters. */
export function hashStart(seed: number): number {
  return mixHash((FNV_OFFSET ^ Math.imul(seed, 0x9e3779b1)) >>> 0);
}

/** Takes one UTF-16 code unit into a running FNV-1a hash. */
export function hashCodeUnit(hash: number, codeUnit: number): number {
  return Math.imul(Math.imul(hash ^ (codeUnit & 0xff), FNV_PRIME) ^ (codeUnit >>> 8), FNV_PRIME) >>> 0;
}

/** Spreads a running hash over all 32 bits (the finaliser of MurmurHash3). */
export function mixHash(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit hash of a string: the same on every machine. Not for secrets. */
export function hashText(text: string, seed = 0): number {
  let hash = hashStart(seed);
  for (let i = 0; i < text.length; i++) hash = hashCodeUnit(hash, text.charCodeAt(i));
  return mixHash(hash);
}
