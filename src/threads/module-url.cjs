// CommonJS, and JavaScript: `__dirname` exists in both builds of the package and under the tests' loader only so, and
// `import.meta` in only one of the builds. The build copies this file as it is.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const packageRoot = require('../native/package-root.cjs');

module.exports = function moduleUrl(file) {
  // A bundle of ES modules has none.
  if (typeof __dirname === 'undefined') return undefined;
  const beside = path.join(path.dirname(__dirname), file);
  if (fs.existsSync(beside)) return pathToFileURL(beside).href;
  if (!fs.existsSync(beside.replace(/\.js$/, '.ts'))) return undefined;
  const built = path.join(packageRoot(), 'dist', 'esm', file);
  return fs.existsSync(built) ? pathToFileURL(built).href : undefined;
};
