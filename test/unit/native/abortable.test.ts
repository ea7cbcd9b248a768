import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { GranuleError } from '../../../src/errors.js';

const cancelled = vi.fn();
vi.mock('../../../src/native/load-addon.js', () => ({
  loadAddon: () => ({
    CancelToken: class {
      cancel = cancelled;
    },
  }),
}));
const { abortable, waitUnlessAborted } = await import('../../../src/native/abortable.js');

const never = new Promise<void>(() => {});

beforeEach(() => cancelled.mockClear());

describe('abortable', () => {
  it('does not begin with a signal that is aborted already', async () => {
    const call = vi.fn();
    const reason = new Error('changed my mind');
    await expect(abortable(AbortSignal.abort(reason), call)).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
    expect(call).not.toHaveBeenCalled();
  });

  it('cancels the native call once, and gives the reason as cause', async () => {
    const controller = new AbortController();
    const promise = abortable(controller.signal, async (cancel) => {
      controller.abort('enough');
      expect(cancelled).toHaveBeenCalledTimes(1);
      expect(cancel).toBeDefined();
      throw new GranuleError('ABORTED', 'the search was aborted');
    });
    await expect(promise).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(cancelled).toHaveBeenCalledTimes(1);
  });

  it('leaves no listener behind, whichever way the call ends', async () => {
    const { signal } = new AbortController();
    await abortable(signal, async () => {
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await expect(
      abortable(signal, async () => {
        throw new GranuleError('INTERNAL', 'x');
      }),
    ).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('a result that comes in spite of the abort is kept', async () => {
    const controller = new AbortController();
    await expect(
      abortable(controller.signal, async () => {
        controller.abort();
        return 7;
      }),
    ).resolves.toBe(7);
  });

  it('another error is not turned into ABORTED', async () => {
    const controller = new AbortController();
    await expect(
      abortable(controller.signal, async () => {
        controller.abort();
        throw new GranuleError('NOT_FINITE', 'row 3');
      }),
    ).rejects.toMatchObject({ code: 'NOT_FINITE' });
  });
});

describe('waitUnlessAborted', () => {
  it('ends with the turn', async () => {
    await expect(waitUnlessAborted(undefined, Promise.resolve())).resolves.toBeUndefined();
    const { signal } = new AbortController();
    await expect(waitUnlessAborted(signal, Promise.resolve())).resolves.toBeUndefined();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('rejects when the signal fires, without waiting for the turn', async () => {
    const controller = new AbortController();
    const waiting = waitUnlessAborted(controller.signal, never);
    controller.abort('later');
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: 'later' });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await expect(waitUnlessAborted(controller.signal, never)).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
