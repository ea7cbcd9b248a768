// CommonJS, and JavaScript: `__dirname` exists in both builds of the package and under the tests' loader only so, and
// `import.meta` in only one of the builds. The build copies this file as it is.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

module.exports = function packageRoot() {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (fs.existsSync(file) && 'name' in JSON.parse(fs.readFileSync(file, 'utf8'))) return folder;
    if (folder === path.dirname(folder)) throw new Error(`no package.json above ${__dirname}`);
  }
};
