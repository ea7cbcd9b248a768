// Queries that are forgotten, and one of which a function is kept: forgotten-queries.mjs <package> <fixture module>
const [packageUrl, module] = process.argv.slice(2);
const { imageEncoderInThreads } = await import(packageUrl);
const spec = { module, export: 'FixtureImageEncoder', options: {} };
const identity = { name: 'fixture', version: '1', dimension: 2, patchDimension: 1 };
const encoder = imageEncoderInThreads({ ...identity, spec }, { threads: 1 });
const released = async () => (await encoder.encodeImages([new Uint8Array()])).vectors.data[1];

for (let i = 0; i < 5; i++) await encoder.encodeQuery(Uint8Array.of(i));
const { patchesOf } = await encoder.encodeQuery(Uint8Array.of(9));
for (let i = 0; i < 50 && (await released()) < 5; i++) {
  globalThis.gc();
  await new Promise((resume) => setTimeout(resume, 10));
}
const kept = (await patchesOf([0])).patches.data[0];
console.log(JSON.stringify({ released: await released(), kept }));
