// Resident bytes that 100 arrays of 1 MiB between small ones add, and that go back when they are freed: freed-blocks.mjs <package> <bounded>
const { boundAllocator } = await import(new URL('native/bound-allocator.js', process.argv[2]));
const MiB = 2 ** 20;
const bounded = process.argv[3] === 'true' && boundAllocator();
const resident = async () => {
  globalThis.gc();
  // Arrays are freed by a thread of V8.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return process.memoryUsage().rss;
};
// From the first such block that is freed on, glibc takes smaller ones from its arena.
const free = (bytes) => void new Uint8Array(bytes).fill(1);
free(8 * MiB);
await resident();
const before = await resident();
const small = [];
let large = [];
for (let i = 0; i < 100; i++) {
  large.push(new Uint8Array(MiB).fill(1));
  small.push(new Uint8Array(48 * 1024).fill(1));
}
const full = await resident();
large = [];
const after = await resident();
console.log(JSON.stringify({ bounded, added: full - before, back: full - after, small: small.length }));
