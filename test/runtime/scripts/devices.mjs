// Compares searches on the devices `cpu` and `cuda`, which GRANULE_CUDA_LIBRARY brings: devices.mjs <package> <folder>
const { FlatIndex, MultiVectorIndex, runtimeInfo } = await import(process.argv[2]);
const folder = process.argv[3];
const dimension = 40;
let state = 1;
const numbers = (count) =>
  Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
const bits = (hits) =>
  [hits.rows, hits.scores, hits.counts, hits.logSumExp, hits.massShare]
    .map((values) => values && Buffer.from(values.buffer).toString('hex'))
    .join();
const compared = {};
async function compare(name, index, queries, options) {
  const onCpu = await index.search(queries, { ...options, device: 'cpu' });
  const onCuda = await index.search(queries, { ...options, device: 'cuda' });
  const byDefault = await index.search(queries, options);
  compared[name] = bits(onCuda) === bits(onCpu) && bits(byDefault) === bits(onCpu);
}

const vectors = numbers(2500 * dimension);
const queries = numbers(3 * dimension);
for (const metric of ['ip', 'cosine', 'l2']) {
  const index = new FlatIndex({ dimension, metric });
  await index.add(vectors);
  await compare(metric, index, queries, { k: 10 });
  await index.remove(Uint32Array.of(1, 5, 77));
  await compare(`${metric}, rows removed`, index, queries, { k: 10, temperature: 0.1, logSumExp: true });
  await index.save(`${folder}/${metric}`);
  const mapped = await FlatIndex.open(`${folder}/${metric}`, { mmap: true, device: 'cuda' });
  await compare(`${metric}, mapped`, mapped, queries, { k: 10, temperature: 1, logSumExp: true });
}
const documents = new MultiVectorIndex({ dimension, dtype: 'f16', device: 'cpu' });
await documents.add(vectors.subarray(0, 600 * dimension), new Uint32Array(60).fill(10));
await compare('documents', documents, queries, { k: 5, explain: true, temperature: 1, logSumExp: true });
const { backends } = runtimeInfo();
console.log(JSON.stringify({ compared, device: backends.find(({ name }) => name === 'cuda').reason }));
