import { describe, expect, it } from 'vitest';
import { matrix, matrixRow } from '../../../src/vectors/matrix.js';

describe('matrix', () => {
  it('counts rows and keeps the array itself', () => {
    const data = new Float32Array(6);
    expect(matrix(data, 3)).toEqual({ data, rows: 2, columns: 3 });
    expect(matrix(data, 3).data).toBe(data);
    expect(matrix(new Float32Array(0), 3).rows).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d columns', (columns) => {
    expect(() => matrix(new Float32Array(6), columns)).toThrow(
      expect.objectContaining({ code: 'DIMENSION_INVALID' }),
    );
  });

  it('refuses a last row that is cut short', () => {
    expect(() => matrix(new Float32Array(7), 3)).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH', details: { length: 7, columns: 3 } }),
    );
  });

  it('gives rows as views, at the offset of the data', () => {
    const whole = Float32Array.from([9, 1, 2, 3, 4]);
    const source = matrix(whole.subarray(1), 2);
    expect([...matrixRow(source, 1)]).toEqual([3, 4]);
    matrixRow(source, 0)[0] = 7;
    expect(whole[1]).toBe(7);
  });
});
