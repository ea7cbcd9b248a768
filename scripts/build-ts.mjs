/**
 * Compiles src/ twice, to dist/esm (everything) and dist/cjs (the library without the command line and the server), for `import` and `require`.
 *
 *     node scripts/build-ts.mjs
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestInputs, stampMatches, writeStamp } from './build-stamp.mjs';
import { runCommand } from './run-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const packageFile = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const INPUTS = ['src', 'tsconfig.json', 'tsconfig.esm.json', 'tsconfig.cjs.json', 'scripts/build-ts.mjs'];
const ENTRIES = Object.values(packageFile.exports).filter((entry) => typeof entry === 'object');
const OUTPUTS = [
  packageFile.main,
  packageFile.types,
  ...Object.values(packageFile.bin),
  ...ENTRIES.flatMap((entry) => [entry.import, entry.require]).flatMap((target) => Object.values(target)),
];

export function typescriptIsCurrent() {
  return (
    OUTPUTS.every((output) => existsSync(join(root, output))) &&
    stampMatches(root, 'typescript', typescriptDigest())
  );
}

/** Throws an Error with the compiler's whole output where the build fails. */
export async function buildTypescript() {
  const digest = typescriptDigest();
  // A module that was removed from src must not live on in the package.
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const results = await Promise.all(
    ['tsconfig.esm.json', 'tsconfig.cjs.json'].map((config) =>
      runCommand(process.execPath, [tsc, '-p', config], { cwd: root }),
    ),
  );
  const failed = results.filter(({ code }) => code !== 0);
  if (failed.length > 0) {
    throw new Error(`${failed.map(({ output }) => output).join('\n')}\nsrc/ could not be compiled.`);
  }
  for (const format of ['esm', 'cjs']) copyAssets(join(root, 'dist', format), format === 'esm');
  writeFileSync(join(root, 'dist', 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
  for (const program of Object.values(packageFile.bin)) chmodSync(join(root, program), 0o755);
  writeStamp(root, 'typescript', digest);
}

function typescriptDigest() {
  return digestInputs(root, INPUTS, [require('typescript/package.json').version, ...OUTPUTS]);
}

/**
 * Whatever lies in src/ and is no TypeScript (tables, templates, pages) goes beside the modules that read it; where `all` is
 * false, only into folders that hold modules.
 */
function copyAssets(target, all) {
  const source = join(root, 'src');
  for (const file of readdirSync(source, { recursive: true })) {
    if (/^\.[cm]?ts$/.test(extname(file)) || statSync(join(source, file)).isDirectory()) continue;
    const folder = dirname(join(target, file));
    if (all) mkdirSync(folder, { recursive: true });
    if (existsSync(folder)) copyFileSync(join(source, file), join(target, file));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await buildTypescript();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
