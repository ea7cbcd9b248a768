import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NativeRuntimeInfo } from './addon-types.js';
import { loadAddon } from './load-addon.js';
import packageRoot from './package-root.cjs';

/** What runs here and why: versions, instruction set, kernels, and backends with the reason where one cannot run. */
export interface RuntimeInfo extends Readonly<NativeRuntimeInfo> {
  /** Version of this package. */
  readonly version: string;
  /** Version of Node, without the `v`. */
  readonly node: string;
}

/**
 * Reports the engine that this process uses.
 *
 * @throws GranuleError `ADDON_NOT_FOUND`, `ISA_UNSUPPORTED`
 */
export function runtimeInfo(): RuntimeInfo {
  const manifest = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8'));
  return { version: String(manifest.version), node: process.versions.node, ...loadAddon().runtimeInfo() };
}
