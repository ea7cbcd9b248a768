/**
 * Checks that includes and imports go in one direction only, in C++ and in TypeScript, and never in a circle.
 *
 *     node scripts/check-layers.mjs [root]
 *
 * A file may use its own layer and every layer before it. Neighbours within one layer may use each other.
 * Prints one line `file:line: reason` per violation, then `N passed, N failed` over the files.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Lowest layer first. An entry is a folder, or a file, under `base`. */
const LANGUAGES = [
  {
    base: 'native',
    sources: /\.(h|cuh|cc|cu)$/,
    layers: [
      ['core'],
      ['kernels'],
      ['backends'],
      ['index'],
      ['pooling', 'refinement', 'training'],
      ['binding'],
    ],
    // Tests and benchmarks stand above every layer, and a layer never includes them.
    outside: ['tests', 'bench'],
    references: includes,
  },
  {
    base: 'src',
    sources: /\.[cm]?ts$/,
    layers: [
      ['errors.ts'],
      ['native', 'files', 'threads'],
      ['vectors', 'index', 'ranking'],
      ['text', 'fusion', 'feedback', 'granularity', 'composition', 'explanation', 'approximate'],
      ['encoders', 'corpus', 'retrievers', 'rerankers', 'generators'],
      ['systems', 'pipeline'],
      ['evaluation', 'training', 'demo'],
      ['adapters', 'server', 'client', 'cli', 'index.ts'],
    ],
    outside: [],
    references: imports,
  },
];

/** Headers of Node, with the only folder that may include them; `null` for those that tie a binary to one Node version. */
const NODE_HEADERS = new Map([
  ['napi.h', 'binding'],
  ['node_api.h', 'binding'],
  ['js_native_api.h', 'binding'],
  ['node.h', null],
  ['nan.h', null],
  ['v8.h', null],
  ['uv.h', null],
]);

/**
 * @param {string} root the folder that holds `native/` and `src/`
 * @returns {{ files: string[], violations: { file: string, line: number, reason: string }[] }}
 */
export function checkLayers(root) {
  const reports = LANGUAGES.map((language) => checkLanguage(root, language));
  return {
    files: reports.flatMap(({ files }) => files),
    violations: reports.flatMap(({ violations }) => violations),
  };
}

function checkLanguage(root, language) {
  const { base, sources, layers, outside, references } = language;
  const files = listFiles(root, base).filter((file) => sources.test(file));
  const known = new Set(files);
  const violations = [];
  const edges = new Map();
  for (const file of files) {
    const layer = layerOf(file);
    if (layer === undefined) {
      violations.push({ file, line: 1, reason: `${entryOf(file, base)} has no place in the layer table` });
      continue;
    }
    edges.set(file, []);
    for (const { specifier, line } of references(withoutComments(readFileSync(join(root, file), 'utf8')))) {
      const forbidden = base === 'native' && nodeHeaderViolation(specifier, file, base);
      if (forbidden) violations.push({ file, line, reason: forbidden });
      const target = resolveReference(specifier, file, base, known);
      if (target === undefined) continue;
      edges.get(file).push({ target, line });
      const targetLayer = layerOf(target);
      if (targetLayer !== undefined && targetLayer > layer) {
        const reason = `${entryOf(file, base)} must not use ${entryOf(target, base)} (${target}), a later layer`;
        violations.push({ file, line, reason });
      }
    }
  }
  return { files, violations: [...violations, ...findCycles(edges)] };

  function layerOf(file) {
    const entry = entryOf(file, base);
    if (outside.includes(entry)) return layers.length;
    const layer = layers.findIndex((entries) => entries.includes(entry));
    return layer === -1 ? undefined : layer;
  }
}

/** The folder directly under the base, or the file's name where it lies in the base itself. */
function entryOf(file, base) {
  return file.slice(base.length + 1).split('/')[0];
}

function nodeHeaderViolation(specifier, file, base) {
  const only = NODE_HEADERS.get(specifier);
  if (only === undefined) return undefined;
  if (only === null) return `<${specifier}> ties the addon to one version of Node; use Node-API`;
  return entryOf(file, base) === only ? undefined : `<${specifier}> belongs in ${base}/${only} only`;
}

function resolveReference(specifier, file, base, known) {
  const relative = posix.join(posix.dirname(file), specifier);
  const candidates =
    base === 'native'
      ? [relative, posix.join(base, specifier)]
      : specifier.startsWith('.')
        ? [relative.replace(/\.([cm]?)js$/, '.$1ts')]
        : [];
  return candidates.find((candidate) => known.has(candidate));
}

function includes(text) {
  return matches(text, /^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]/gm);
}

function imports(text) {
  return [
    ...matches(text, /^[ \t]*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm),
    ...matches(text, /^[ \t]*import\s*['"]([^'"]+)['"]/gm),
    ...matches(text, /\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g),
  ];
}

function matches(text, pattern) {
  return [...text.matchAll(pattern)].map((match) => {
    const end = match.index + match[0].length;
    return { specifier: match[1], line: text.slice(0, end).split('\n').length };
  });
}

/** Blanks comments that begin a line, and keeps the lines; an example in a comment is no import. */
function withoutComments(text) {
  return text.replace(/^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/.*)/gm, (comment) => comment.replace(/[^\n]/g, ' '));
}

/** One violation per circle, at the reference that closes it. */
function findCycles(edges) {
  const finished = new Set();
  const path = [];
  const violations = [];
  for (const file of edges.keys()) visit(file);
  return violations;

  function visit(file) {
    if (finished.has(file)) return;
    path.push(file);
    for (const { target, line } of edges.get(file) ?? []) {
      const start = path.indexOf(target);
      if (start === -1) visit(target);
      else violations.push({ file, line, reason: `circle: ${[...path.slice(start), target].join(' -> ')}` });
    }
    path.pop();
    finished.add(file);
  }
}

function listFiles(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? listFiles(root, `${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const { files, violations } = checkLayers(root);
  for (const { file, line, reason } of violations) console.error(`${file}:${line}: ${reason}`);
  const failed = new Set(violations.map(({ file }) => file)).size;
  console.log(`layers: ${files.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
