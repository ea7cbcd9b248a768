import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = resolve('scripts/check-layers.mjs');
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'granule-layers-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function check(files: Record<string, string>): { status: number | null; violations: string[] } {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, violations: stderr.split('\n').filter((line) => line !== '') };
}

describe('the layers of TypeScript', () => {
  it('may use what lies before them, their own neighbours and the errors', () => {
    const { status, violations } = check({
      'src/errors.ts': 'export const a = 1;\n',
      'src/native/load.ts': "import { a } from '../errors.js';\nexport const b = a;\n",
      'src/encoders/e.ts': "import { b } from '../native/load.js';\nexport const c = b;\n",
      'src/retrievers/r.ts': "import { c } from '../encoders/e.js';\nexport const d = c;\n",
      'src/index.ts': "export * from './retrievers/r.js';\n",
      'src/cli/main.ts': "import { d } from '../index.js';\nexport const e = d;\n",
    });
    expect(violations).toEqual([]);
    expect(status).toBe(0);
  });

  it.each([
    ['import', "\nimport { b } from '../encoders/e.js';\n", 2],
    ['import of types', "import type { b } from '../encoders/e.js';\n", 1],
    ['import over several lines', "import {\n  b,\n} from '../encoders/e.js';\n", 3],
    ['import for its effect', "import '../encoders/e.js';\n", 1],
    ['re-export', "// x\nexport * from '../encoders/e.js';\n", 2],
    ['import at run time', "export const a = () => import('../encoders/e.js');\n", 1],
    ['require', "const e = require('../encoders/e.js');\n", 1],
    ['type of a module', "export type T = typeof import('../encoders/e.js');\n", 1],
  ])('must not use a later layer by %s', (_, text, line) => {
    const { status, violations } = check({
      'src/index/flat-index.ts': text,
      'src/encoders/e.ts': 'export const b = 1;\n',
    });
    expect(violations).toEqual([
      `src/index/flat-index.ts:${line}: index must not use encoders (src/encoders/e.ts), a later layer`,
    ]);
    expect(status).toBe(1);
  });

  it('must not use a later layer through a CommonJS module', () => {
    const { violations } = check({
      'src/native/root.cts': "import e = require('../encoders/e.cjs');\nexport = e;\n",
      'src/encoders/e.cts': 'export = 1;\n',
    });
    expect(violations).toEqual([
      'src/native/root.cts:1: native must not use encoders (src/encoders/e.cts), a later layer',
    ]);
  });

  it('may show an import in a comment', () => {
    const { violations } = check({
      'src/native/a.ts':
        "/**\n * import { b } from '../encoders/e.js';\n */\n// import '../encoders/e.js';\n",
      'src/encoders/e.ts': 'export const b = 1;\n',
    });
    expect(violations).toEqual([]);
  });

  it('must not import in a circle, also within one layer', () => {
    const { violations } = check({
      'src/encoders/a.ts': "import { b } from './b.js';\nexport const a = b;\n",
      'src/encoders/b.ts': "\nimport { a } from './a.js';\nexport const b = a;\n",
    });
    expect(violations).toEqual([
      'src/encoders/b.ts:2: circle: src/encoders/a.ts -> src/encoders/b.ts -> src/encoders/a.ts',
    ]);
  });

  it('has a place for every folder', () => {
    const { violations } = check({ 'src/helpers/x.ts': 'export const x = 1;\n' });
    expect(violations).toEqual(['src/helpers/x.ts:1: helpers has no place in the layer table']);
  });
});

describe('the layers of C++', () => {
  it('may use what lies before them, and tests may use them all', () => {
    const { violations } = check({
      'native/core/dtype.h': '#pragma once\n',
      'native/kernels/dot/dot.h': '#include "core/dtype.h"\n',
      'native/kernels/dot/dot_scalar.cc': '#include "dot.h"\n',
      'native/binding/addon.cc': '#include <napi.h>\n#include "kernels/dot/dot.h"\n',
      'native/tests/dot_test.cc': '#include "kernels/dot/dot.h"\n',
    });
    expect(violations).toEqual([]);
  });

  it.each([
    ['from the root of the sources', '#include "index/flat_index.h"'],
    ['from their own folder', '#include "../index/flat_index.h"'],
    ['with a blank after the hash', '# include "index/flat_index.h"'],
  ])('must not include a later layer %s', (_, include) => {
    const { violations } = check({
      'native/core/dtype.h': `#pragma once\n${include}\n`,
      'native/index/flat_index.h': '#pragma once\n',
    });
    expect(violations).toEqual([
      'native/core/dtype.h:2: core must not use index (native/index/flat_index.h), a later layer',
    ]);
  });

  it('must not include tests', () => {
    const { violations } = check({
      'native/binding/addon.cc': '#include "tests/oracle.h"\n',
      'native/tests/oracle.h': '#pragma once\n',
    });
    expect(violations).toHaveLength(1);
  });

  it('include headers of Node-API in the binding only', () => {
    const { violations } = check({
      'native/index/flat_index.cc': '#include <cstddef>\n#include <napi.h>\n',
      'native/core/pool.cc': '#include "node_api.h"\n',
    });
    expect(violations).toEqual([
      'native/core/pool.cc:1: <node_api.h> belongs in native/binding only',
      'native/index/flat_index.cc:2: <napi.h> belongs in native/binding only',
    ]);
  });

  it('include headers that are tied to one version of Node nowhere', () => {
    const { violations } = check({ 'native/binding/addon.cc': '#include <uv.h>\n' });
    expect(violations).toEqual([
      'native/binding/addon.cc:1: <uv.h> ties the addon to one version of Node; use Node-API',
    ]);
  });

  it('must not include in a circle', () => {
    const { violations } = check({
      'native/core/a.h': '#include "core/b.h"\n',
      'native/core/b.h': '#include "core/a.h"\n',
    });
    expect(violations).toEqual([
      'native/core/b.h:1: circle: native/core/a.h -> native/core/b.h -> native/core/a.h',
    ]);
  });
});
