import { describe, expect, it, vi } from 'vitest';

const backends = [
  { name: 'cuda', available: false, reason: 'no driver' },
  { name: 'cpu', available: true, reason: '' },
];
vi.mock('../../../src/native/load-addon.js', () => ({
  loadAddon: () => ({ runtimeInfo: () => ({ backends }) }),
}));
const { backendOf } = await import('../../../src/native/device.js');

describe('backendOf', () => {
  it('auto is the first backend that can run', () => {
    expect(backendOf('auto')).toBe('cpu');
    expect(backendOf('cpu')).toBe('cpu');
  });

  it('cuda that cannot run is refused with the reason', () => {
    expect(() => backendOf('cuda')).toThrow(
      expect.objectContaining({
        code: 'DEVICE_UNAVAILABLE',
        message: expect.stringContaining('no driver'),
        details: { device: 'cuda', reason: 'no driver' },
      }),
    );
  });

  it('cuda that can run is taken', () => {
    backends[0]!.available = true;
    expect(backendOf('cuda')).toBe('cuda');
    expect(backendOf('auto')).toBe('cuda');
    expect(backendOf('cpu')).toBe('cpu');
  });

  it('an unknown name is refused', () => {
    expect(() => backendOf('tpu' as 'cpu')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
