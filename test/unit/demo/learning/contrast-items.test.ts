import { expect, it } from 'vitest';
import { contrastItems } from '../../../../src/demo/learning/train-entity-towers.js';
import type { PictureViews } from '../../../../src/demo/learning/view-samples.js';

it('a picture of a flag without a title to be trained on is refused by its code', () => {
  const picture = { flags: ['FR', 'XX'], flagOf: Int8Array.of(0, 1, -1) } as unknown as PictureViews;
  const codes = ['DE', 'FR'];
  expect(
    contrastItems(
      [
        { picture, flag: 0 },
        { picture, flag: 0 },
      ],
      codes,
    ),
  ).toEqual([
    { first: 0, count: 3, title: 1 },
    { first: 3, count: 3, title: 1 },
  ]);
  expect(() => contrastItems([{ picture, flag: 1 }], codes)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('XX') }),
  );
});
