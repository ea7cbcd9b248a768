// Makes and forgets indexes of 20 MB, 4 GB in all: forgotten.mjs <package>
const { FlatIndex } = await import(process.argv[2]);
const dimension = 256;
const data = new Float32Array(20_000 * dimension).fill(0.5);

/** The search outlives the index that it was called on. */
async function searchAndForget() {
  const index = new FlatIndex({ dimension });
  await index.add(data);
  return index.search(data.subarray(0, 3 * dimension), { k: 2 });
}

let peak = 0;
let found = 0;
for (let i = 0; i < 200; i++) {
  const { counts } = await searchAndForget();
  found += counts.length;
  peak = Math.max(peak, process.memoryUsage().rss);
}
console.log(JSON.stringify({ whole: 200 * data.byteLength, peak, found }));
