/**
 * `npm test`: the C++ tests and the TypeScript tests, some of which use what the former have built, then a summary that ends
 * with `N passed, N failed`.
 */
import { buildNativeTests, runNativeTests } from './test-native.mjs';
import { testTypescript } from './test-ts.mjs';

const built = await buildNativeTests('release');
const runs = 'failed' in built && !built.failed;
// Many TypeScript tests wait for processes and clocks: the others use the cores meanwhile.
const [native, typescript] = await Promise.all([
  runs ? runNativeTests('release', 1) : { passed: 0, failed: 'skipped' in built ? 0 : 1 },
  testTypescript([]),
]);

console.log(
  `TypeScript tests: ${typescript.passed} passed, ${typescript.failed} failed, ${typescript.skipped} skipped`,
);
console.log(
  'skipped' in built
    ? `native tests: SKIPPED, ${built.skipped}`
    : `native tests: ${native.passed} passed, ${native.failed} failed`,
);
const failed = typescript.failed + native.failed;
console.log(`${typescript.passed + native.passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
