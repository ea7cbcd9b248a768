// The entry of a thread. CommonJS, and JavaScript: it is the same file in both builds of the package, and its `import()`
// loads ES modules and CommonJS alike.
'use strict';
const { parentPort, workerData } = require('node:worker_threads');

const load = (url) => import(url);
load(workerData.program).then(({ runThread }) => runThread(parentPort, workerData, load));
