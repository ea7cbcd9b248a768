import { createRequire } from 'node:module';
import path from 'node:path';
import { ERROR_CODES, type ErrorCode, GranuleError } from '../errors.js';
import type { NativeAddon } from './addon-types.js';
import { BORDER } from './border.js';
import packageRoot from './package-root.cjs';

let loaded: NativeAddon | undefined;

/**
 * The native addon, loaded at the first call: importing the package touches no binary.
 *
 * @throws GranuleError `ADDON_NOT_FOUND` with every failure met, an addon of another version among them; `ISA_UNSUPPORTED` where `GRANULE_ISA` asks for what
 * this processor cannot run
 */
export function loadAddon(): NativeAddon {
  loaded ??= load();
  return loaded;
}

function load(): NativeAddon {
  const failures: string[] = [];
  for (const file of candidateFiles(failures)) {
    try {
      return open(file);
    } catch (error) {
      if (isPublished(error)) throw error;
      failures.push(`${file}: ${messageOf(error)}`);
    }
  }
  throw new GranuleError('ADDON_NOT_FOUND', notFoundMessage(failures), { failures });
}

/** What node-gyp-build finds (a build of one's own, else a prebuilt binary), then the own build by name. */
function candidateFiles(failures: string[]): Set<string> {
  const files = new Set<string>();
  try {
    const root = packageRoot();
    try {
      const nodeGypBuild = createRequire(path.join(root, 'package.json'))('node-gyp-build');
      files.add(nodeGypBuild.resolve(root));
    } catch (error) {
      failures.push(messageOf(error));
    }
    files.add(path.join(root, 'build', 'Release', 'granule.node'));
  } catch (error) {
    failures.push(messageOf(error));
  }
  return files;
}

/**
 * Loads one file, unless it was written for another description of the border: it would leave alone what it does not know, and give wrong
 * results. Not by `require`, whose cache would hand one addon object to two copies of the package, and with it
 * the error class of one to the other.
 */
function open(file: string): NativeAddon {
  const target = { exports: {} as NativeAddon };
  process.dlopen(target, file);
  const { border = 'none' } = target.exports;
  if (border !== BORDER) {
    throw new Error(`it belongs to another version of this package: its border is ${border}, not ${BORDER}`);
  }
  target.exports.initialize(GranuleError as new (code: string, message: string, details: object) => Error);
  return target.exports;
}

function isPublished(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ERROR_CODES.includes(error.code as ErrorCode);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trim().replaceAll(/\s*\n\s*/g, ', ') : String(error);
}

function notFoundMessage(failures: readonly string[]): string {
  return [
    `the native addon could not be loaded on ${process.platform}-${process.arch} (Node ${process.version})`,
    ...failures.map((failure) => `  - ${failure}`),
    'Possible solutions:',
    '  - install again on this machine: node_modules copied from another system holds the wrong binary',
    '  - npm install granule@latest, if its prebuilds now cover this platform',
    '  - keep granule out of the bundle (mark it as external), so that its files stay beside it',
    '  - build it from a clone of the repository: npm ci && npm run build:native',
  ].join('\n');
}
