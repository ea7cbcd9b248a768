// Two installations of the package in one process: two-copies.mjs <package> <package>
const copies = await Promise.all(process.argv.slice(2).map((url) => import(url)));
const data = Float32Array.from({ length: 30_000 * 16 }, (_, i) => ((i * 40503) % 997) / 997);
const results = await Promise.all(
  copies.map(async ({ FlatIndex }) => {
    const index = new FlatIndex({ dimension: 16, metric: 'l2' });
    await index.add(data);
    const { rows, scores } = await index.search(data.subarray(0, 160), { k: 10 });
    index.dispose();
    return JSON.stringify([[...rows], [...scores]]);
  }),
);
const errors = await Promise.all(
  copies.map(async ({ FlatIndex, GranuleError }) => {
    const error = await new FlatIndex({ dimension: 1 }).add(Float32Array.of(Number.NaN)).catch((e) => e);
    return { code: error.code, ownClass: error instanceof GranuleError };
  }),
);
console.log(
  JSON.stringify({
    classes: new Set(copies.map(({ FlatIndex }) => FlatIndex)).size,
    versions: copies.map(({ runtimeInfo }) => runtimeInfo().version),
    same: results[0] === results[1],
    errors,
  }),
);
