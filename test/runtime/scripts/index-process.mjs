// What another process does with the folder of an index: index-process.mjs <package> <what> <folder> <number>
import { createInterface } from 'node:readline';

const { FlatIndex } = await import(process.argv[2]);
const [what, folder, number] = process.argv.slice(3);
const dimension = 32;

function rows(count, seed) {
  return Float32Array.from(
    { length: count * dimension },
    (_, i) => ((i * 40503 + seed * 7919) % 997) / 997 - 0.5,
  );
}

const query = rows(1, 5);
const actions = {
  /** Keeps the folder open, and searches at each line of its input. */
  async map() {
    const index = await FlatIndex.open(folder, { mmap: true });
    console.log('open');
    for await (const _ of createInterface({ input: process.stdin })) {
      const hits = await index.search(query, { k: 5 });
      console.log(JSON.stringify({ rows: [...hits.rows], scores: [...hits.scores] }));
    }
  },
  /** Appends 100 rows at a time, every third time less one, and compacts then; ends at the first save that is refused. */
  async append() {
    const index = await FlatIndex.open(folder);
    let saves = 0;
    let code;
    while (saves < Number(number) && code === undefined) {
      await index.add(rows(100, saves));
      if (saves % 3 === 2) {
        await index.remove(Uint32Array.of(index.rows - 1));
        await index.compact();
      }
      try {
        await index.save(folder);
        saves++;
      } catch (error) {
        code = error.code ?? String(error);
      }
    }
    console.log(JSON.stringify({ rows: index.rows, saves, code }));
  },
  /** Saves more than its process may write. */
  async fill() {
    const index = await FlatIndex.open(folder);
    await index.add(rows(Number(number), 3));
    const outcome = await index
      .save(folder)
      .catch(({ code, message, details }) => ({ code, message, details }));
    console.log(JSON.stringify(outcome));
  },
};
await actions[what]();
