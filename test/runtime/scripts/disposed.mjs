// Resident memory before, with, and after 200 MB of indexes that are disposed of: disposed.mjs <package>
const { FlatIndex } = await import(process.argv[2]);
const dimension = 256;
const data = new Float32Array(20_000 * dimension).fill(0.5);
const residentAfter = async () => {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return process.memoryUsage().rss;
};
const warm = new FlatIndex({ dimension });
await warm.add(data);
warm.dispose();
const before = await residentAfter();
const indexes = [];
for (let i = 0; i < 10; i++) {
  const index = new FlatIndex({ dimension });
  await index.add(data);
  indexes.push(index);
}
const full = await residentAfter();
for (const index of indexes) index.dispose();
const after = await residentAfter();
console.log(JSON.stringify({ whole: 10 * data.byteLength, full: full - before, after: after - before }));
