/**
 * npm's `prepare`: makes a clone ready to run. npm calls it for `npm ci` and `npm install` in a clone, for `npm pack`, and
 * when `npx granule` links the clone; never for users of the published package. Does nothing where all is current.
 */
import { buildNative, nativeIsCurrent } from './build-native.mjs';
import { buildTypescript, typescriptIsCurrent } from './build-ts.mjs';

const builds = [
  { name: 'addon', isCurrent: nativeIsCurrent, build: buildNative },
  { name: 'TypeScript', isCurrent: typescriptIsCurrent, build: buildTypescript },
].filter(({ isCurrent }) => !isCurrent());

if (builds.length > 0) {
  const names = builds.map(({ name }) => name).join(' and ');
  const started = Date.now();
  console.log(`Building the ${names} ...`);
  const results = await Promise.allSettled(builds.map(({ build }) => build()));
  const failures = results.filter(({ status }) => status === 'rejected');
  for (const { reason } of failures) console.error(reason.message);
  if (failures.length === 0) {
    console.log(`Built the ${names} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } else {
    process.exitCode = 1;
  }
}
