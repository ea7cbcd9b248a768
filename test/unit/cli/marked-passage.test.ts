import { describe, expect, it } from 'vitest';
import { markedPassage } from '../../../src/cli/marked-passage.js';

describe('markedPassage', () => {
  it('marks the answer with brackets, or in bold and underlined', () => {
    expect(markedPassage('It is Paris.', [6, 11], false)).toBe('It is [[Paris]].');
    expect(markedPassage('It is Paris.', [6, 11], true)).toBe('It is \x1b[1;4mParis\x1b[22;24m.');
  });

  it('leaves a passage without an answer as it is', () => {
    expect(markedPassage('It is Paris.', undefined, true)).toBe('It is Paris.');
  });
});
