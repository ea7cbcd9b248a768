import { GranuleError } from '../errors.js';
import { loadAddon } from './load-addon.js';

/** Names of devices: `auto` takes the best that can run here, the others insist. */
export const DEVICES = ['auto', 'cpu', 'cuda'] as const;

/** Where an index lives and searches. Results are the same bits on each. */
export type Device = (typeof DEVICES)[number];

/**
 * Name of the backend that serves `device`.
 *
 * @throws GranuleError `INVALID_ARGUMENT` for an unknown name; `DEVICE_UNAVAILABLE` with the reason
 */
export function backendOf(device: Device): string {
  if (!DEVICES.includes(device)) {
    throw new GranuleError(
      'INVALID_ARGUMENT',
      `device must be one of ${DEVICES.join(', ')}, got ${String(device)}`,
    );
  }
  const { backends } = loadAddon().runtimeInfo();
  const backend = backends.find(({ name, available }) => (device === 'auto' ? available : name === device));
  if (backend?.available) return backend.name;
  const reason = backend?.reason ?? 'this build does not know it';
  throw new GranuleError('DEVICE_UNAVAILABLE', `device '${device}' is not available: ${reason}`, {
    device,
    reason,
  });
}
