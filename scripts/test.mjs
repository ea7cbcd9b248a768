/**
 * `npm test`: the C++ tests, then the TypeScript tests, some of which use what those built, then a summary that ends with
 * `N passed, N failed`.
 */
import { testNative } from './test-native.mjs';
import { testTypescript } from './test-ts.mjs';

const native = await testNative('release');
const typescript = await testTypescript([]);

console.log(
  `TypeScript tests: ${typescript.passed} passed, ${typescript.failed} failed, ${typescript.skipped} skipped`,
);
console.log(
  'skipped' in native
    ? `native tests: SKIPPED, ${native.skipped}`
    : `native tests: ${native.passed} passed, ${native.failed} failed`,
);
const failed = typescript.failed + (native.failed ?? 0);
console.log(`${typescript.passed + (native.passed ?? 0)} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
