import { GranuleError } from '../../errors.js';
import { dot } from '../../vectors/dot.js';

/** Of M = sum_i sigma_i u_i v_i^T, the singular value decomposition of a square matrix. */
export interface PolarFactor {
  /** sum_i sigma_i = trace of (M M^T)^(1/2). */
  readonly nuclearNorm: number;
  /** sum_i u_i v_i^T over the singular values above the tolerance, row-major: the least of all subgradients of the nuclear norm. */
  readonly factor: Float64Array;
}

/** Cosine of two columns from which on they count as orthogonal. */
const ORTHOGONAL = 2 ** -50;

/** Jacobi's iteration converges quadratically: some ten sweeps for hundreds of columns. */
const MOST_SWEEPS = 60;

/**
 * Nuclear norm and polar factor by one-sided Jacobi rotations: columns of M are rotated against each other until they are orthogonal;
 * then they are sigma_i u_i, and the rotations are V. Only + - * / and square roots, in a fixed order: the same bits on every
 * machine. Small singular values keep their relative accuracy, which a root of eigenvalues of M M^T would halve. O(n^3) per sweep.
 *
 * Source: Hestenes, "Inversion of Matrices by Biorthogonalization and Related Results" (1958).
 *
 * @param matrix - n x n finite values, row-major
 * @param tolerance - singular values up to it count as 0
 * @throws GranuleError `INTERNAL` where the iteration does not end
 */
export function polarFactor(matrix: Float64Array, n: number, tolerance: number): PolarFactor {
  // Columns of M, each beside its column of V.
  const columns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) => matrix[i * n + j]!),
  );
  const right = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) => Number(i === j)),
  );
  let sweeps = 0;
  while (sweep(columns, right, tolerance)) {
    sweeps += 1;
    if (sweeps === MOST_SWEEPS) throw new GranuleError('INTERNAL', 'singular values do not converge');
  }
  const factor = new Float64Array(n * n);
  let nuclearNorm = 0;
  for (let k = 0; k < n; k++) {
    const sigma = Math.sqrt(dot(columns[k]!, columns[k]!));
    nuclearNorm += sigma;
    if (sigma <= tolerance) continue;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) factor[i * n + j]! += (columns[k]![i]! / sigma) * right[k]![j]!;
    }
  }
  return { nuclearNorm, factor };
}

/** Rotates every pair of columns once; whether any was rotated. */
function sweep(columns: readonly Float64Array[], right: readonly Float64Array[], tolerance: number): boolean {
  let rotated = false;
  for (let i = 0; i < columns.length; i++) {
    for (let j = i + 1; j < columns.length; j++) {
      const [a, b] = [dot(columns[i]!, columns[i]!), dot(columns[j]!, columns[j]!)];
      if (Math.min(a, b) <= tolerance * tolerance) continue;
      const inner = dot(columns[i]!, columns[j]!);
      if (Math.abs(inner) <= ORTHOGONAL * Math.sqrt(a) * Math.sqrt(b)) continue;
      const zeta = (b - a) / (2 * inner);
      const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + tangent * tangent);
      rotate(columns[i]!, columns[j]!, cosine, cosine * tangent);
      rotate(right[i]!, right[j]!, cosine, cosine * tangent);
      rotated = true;
    }
  }
  return rotated;
}

function rotate(x: Float64Array, y: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i]!, y[i]!];
    x[i] = cosine * a - sine * b;
    y[i] = sine * a + cosine * b;
  }
}
