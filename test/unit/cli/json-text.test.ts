import { expect, it } from 'vitest';
import { jsonText } from '../../../src/cli/json-text.js';

it('writes typed arrays as arrays, with the digits that float32 has', () => {
  expect(jsonText({ quads: Float32Array.of(0.1, -2, 1e-9), n: 0.1, none: undefined })).toBe(
    '{"quads":[0.1,-2,1e-9],"n":0.1}',
  );
});
