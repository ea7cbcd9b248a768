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
const { IndexHandle } = await import('../../../src/index/index-handle.js');

function fakeNative() {
  return {
    rows: 5,
    removed: 0,
    biased: false,
    bytes: 100,
    reserve: vi.fn(async () => undefined),
    remove: vi.fn(async () => 1),
    compact: vi.fn(async () => Uint32Array.of(1)),
    adoptCompaction: vi.fn(() => true),
    writeSegment: vi.fn(),
    copyRemoved: vi.fn(),
    openSegments: vi.fn(),
    dispose: vi.fn(),
  };
}

/** A promise that the test settles. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

beforeEach(() => cancelled.mockClear());

describe('IndexHandle', () => {
  it('runs adds one after the other, in the order of the calls', async () => {
    const handle = new IndexHandle(fakeNative());
    const order: string[] = [];
    const first = gate();
    const adds = [
      handle.change(undefined, async () => {
        order.push('first begins');
        await first.opened;
        order.push('first ends');
        return 0;
      }),
      handle.change(undefined, async () => {
        order.push('second begins');
        return 1;
      }),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['first begins']);
    first.open();
    expect(await Promise.all(adds)).toEqual([0, 1]);
    expect(order).toEqual(['first begins', 'first ends', 'second begins']);
  });

  it('counts the rows of adds that have settled, not of one that the workers have just finished', async () => {
    const native = fakeNative();
    const handle = new IndexHandle(native);
    expect(handle.rows).toBe(0);
    const add = handle.change(undefined, async () => {
      native.rows = 9;
      expect(handle.rows).toBe(0);
      return 5;
    });
    await add;
    expect(handle.rows).toBe(9);
  });

  it('an add that fails does not stop the next', async () => {
    const handle = new IndexHandle(fakeNative());
    const bad = handle.change(undefined, async () => {
      throw new GranuleError('NOT_FINITE', 'row 0');
    });
    const good = handle.change(undefined, async () => 5);
    await expect(bad).rejects.toMatchObject({ code: 'NOT_FINITE' });
    await expect(good).resolves.toBe(5);
  });

  it('an add that is aborted while it waits rejects at once, never begins, and keeps the order of the others', async () => {
    const handle = new IndexHandle(fakeNative());
    const first = gate();
    const controller = new AbortController();
    const begun: number[] = [];
    const adds = [
      handle.change(undefined, async () => {
        await first.opened;
        begun.push(0);
        return 0;
      }),
      handle.change(controller.signal, async () => {
        begun.push(1);
        return 1;
      }),
      handle.change(undefined, async () => {
        begun.push(2);
        return 2;
      }),
    ];
    controller.abort();
    await expect(adds[1]).rejects.toMatchObject({ code: 'ABORTED' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([]);
    first.open();
    expect(await adds[0]).toBe(0);
    expect(await adds[2]).toBe(2);
    expect(begun).toEqual([0, 2]);
  });

  it('dispose stops the add under way, refuses those that wait, and frees the native index once', async () => {
    const native = fakeNative();
    const handle = new IndexHandle(native);
    const first = gate();
    const begun = vi.fn();
    const running = handle.change(undefined, async () => {
      await first.opened;
      throw new GranuleError('ABORTED', 'the add was aborted');
    });
    const waiting = handle.change(undefined, async () => {
      begun();
      return 1;
    });
    await new Promise((resolve) => setImmediate(resolve));
    handle.dispose();
    handle.dispose();
    expect(native.dispose).toHaveBeenCalledTimes(1);
    expect(cancelled).toHaveBeenCalledTimes(1);
    first.open();
    await expect(running).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    await expect(waiting).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    expect(begun).not.toHaveBeenCalled();
  });

  it('an add that ends just as the index is disposed of is not reported as added', async () => {
    const handle = new IndexHandle(fakeNative());
    const add = handle.change(undefined, async () => {
      handle.dispose();
      return 0;
    });
    await expect(add).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });

  it('after dispose it is empty and refuses everything', async () => {
    const handle = new IndexHandle(fakeNative());
    await handle.change(undefined, async () => 0);
    expect([handle.rows, handle.bytes]).toEqual([5, 100]);
    await handle.disposeAndWait();
    expect([handle.rows, handle.bytes]).toEqual([0, 0]);
    expect(() => handle.native).toThrow(expect.objectContaining({ code: 'INDEX_DISPOSED' }));
    await expect(handle.change(undefined, async () => 0)).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
  });

  it('disposeAndWait waits for the add under way', async () => {
    const handle = new IndexHandle(fakeNative());
    const first = gate();
    let ended = false;
    const add = handle.change(undefined, async () => {
      await first.opened;
      ended = true;
      return 0;
    });
    const refused = expect(add).rejects.toMatchObject({ code: 'INDEX_DISPOSED' });
    await new Promise((resolve) => setImmediate(resolve));
    const disposed = handle.disposeAndWait().then(() => expect(ended).toBe(true));
    first.open();
    await Promise.all([disposed, refused]);
  });

  it('shows a compaction in the turn in which the rows change, and not at all where it failed', async () => {
    const native = fakeNative();
    const handle = new IndexHandle(native);
    native.adoptCompaction.mockImplementation(() => {
      expect(handle.rows).toBe(0);
      native.rows = 1;
      return true;
    });
    expect(await handle.compact(undefined)).toEqual(Uint32Array.of(1));
    expect(handle.rows).toBe(1);
    native.compact.mockRejectedValueOnce(new GranuleError('OUT_OF_MEMORY', 'no'));
    await expect(handle.compact(undefined)).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    expect(native.adoptCompaction).toHaveBeenCalledTimes(1);
  });

  it('removes the rows that the caller named, whatever becomes of the array meanwhile', async () => {
    const native = fakeNative();
    const handle = new IndexHandle(native);
    const rows = Uint32Array.of(3, 1);
    const removed = handle.remove(rows, undefined);
    rows.fill(0);
    expect(await removed).toBe(1);
    expect(native.remove).toHaveBeenCalledWith(Uint32Array.of(3, 1));
  });
});
