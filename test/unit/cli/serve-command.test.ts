import { afterEach, expect, test, vi } from 'vitest';
import { runCli } from '../../../src/cli/run-cli.js';
import { GranuleError } from '../../../src/errors.js';
import { boundAllocator } from '../../../src/native/bound-allocator.js';
import { openKnowledgeBase } from '../../../src/server/corpus-knowledge-base.js';

vi.mock('../../../src/native/bound-allocator.js', () => ({ boundAllocator: vi.fn(() => true) }));
vi.mock('../../../src/server/corpus-knowledge-base.js', () => ({ openKnowledgeBase: vi.fn() }));
afterEach(() => vi.restoreAllMocks());

test('granule serve bounds the allocator, before anything opens that starts threads', async () => {
  vi.mocked(openKnowledgeBase).mockRejectedValue(new GranuleError('FILE_NOT_FOUND', 'no such folder'));
  const complained = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await runCli(['serve', 'no-such-folder', '--port', '0'])).toBe(1);
  expect(complained.mock.calls.flat().join('')).toContain('[FILE_NOT_FOUND]');
  const [bounded] = vi.mocked(boundAllocator).mock.invocationCallOrder;
  const [opened] = vi.mocked(openKnowledgeBase).mock.invocationCallOrder;
  expect(bounded).toBeLessThan(opened!);
});
