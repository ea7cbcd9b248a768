// How a process ends: exit.mjs <package> <idle|exit|unsettled>
const { FlatIndex } = await import(process.argv[2]);
const dimension = 64;
const index = new FlatIndex({ dimension });
const data = new Float32Array(100_000 * dimension).fill(0.5);
await index.add(data);
await index.search(data.subarray(0, dimension), { k: 1 });
console.log('{}');
if (process.argv[3] === 'exit') {
  index.search(data.subarray(0, 200 * dimension), { k: 10 });
  index.add(data);
  setTimeout(() => process.exit(0), 5);
} else if (process.argv[3] === 'unsettled') {
  // The process waits for what is under way, as it would for a file.
  index.search(data.subarray(0, 20 * dimension), { k: 10 }).then(() => process.exit(0));
  process.exitCode = 3;
}
