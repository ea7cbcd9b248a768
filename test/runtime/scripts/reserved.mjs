// Resident memory that a reservation takes, and that 100,000 rows take after it: reserved.mjs <package>
const { FlatIndex } = await import(process.argv[2]);
const dimension = 256;
const rows = new Float32Array(10_000 * dimension).fill(0.5);
const warm = new FlatIndex({ dimension });
await warm.add(rows);
warm.dispose();
await new Promise((resolve) => setTimeout(resolve, 100));
const index = new FlatIndex({ dimension });
const before = process.memoryUsage().rss;
await index.reserve(100_000);
const reserved = process.memoryUsage().rss;
const reservedBytes = index.bytes;
const firsts = [];
for (let i = 0; i < 10; i++) firsts.push(await index.add(rows));
const after = process.memoryUsage().rss;
const needed = 100_000 * dimension * 5;
const ratios = { resident: (reserved - before) / needed, grown: (after - reserved) / needed };
console.log(
  JSON.stringify({ ...ratios, bytes: reservedBytes / needed, bytesAfter: index.bytes / needed, firsts }),
);
