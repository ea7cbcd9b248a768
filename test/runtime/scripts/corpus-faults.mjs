// Lets a disk fail during each kind of change of a corpus, at one position after the other, or every <step>th:
//     corpus-faults.mjs <package> <folder> <pictures> <step> writes <errno> <times>   (under failing-writes.c)
//     corpus-faults.mjs <package> <folder> <pictures> <step> filled <mount>
// Prints, as JSON, how many faults each kind of change met, how many changes failed, and every outcome that is wrong.
import {
  cheapEncoders,
  entityNumbers,
  expectedParts,
  lineOf,
  partsIn,
  requireFindable,
} from './corpus-changes.mjs';
import { failingWrites, filledDisk } from './failing-disk.mjs';

const [packageUrl, folder, pictures, step, kindOfDisk, ...rest] = process.argv.slice(2);
const { Corpus } = await import(packageUrl);
const disk = { writes: failingWrites, filled: filledDisk }[kindOfDisk](...rest);

const encoders = cheapEncoders();
// Nothing waits in the journal, so that every change also writes to the index folders.
const options = { journalBytes: 0 };
let corpus = await Corpus.create(folder, encoders, options);
let n = 0;
let states = entityNumbers().map(() => ({ n: 0, without: [] }));
await corpus.ingest(states.map((_, entity) => lineOf(pictures, entity, 0)));

/** Kinds of changes: what they do, and what they make of the entities. */
const kinds = {
  put: [() => corpus.put(lineOf(pictures, 3, n)), (after) => (after[3] = { n, without: [] })],
  ingest: [
    () => corpus.ingest([1, 2].map((entity) => lineOf(pictures, entity, n))),
    (after) => (after[1] = after[2] = { n, without: [] }),
  ],
  delete: [() => corpus.delete({ entity: 'e3' }), (after) => (after[3] = undefined)],
  compact: [() => corpus.compact(), () => undefined],
  reencode: [() => corpus.reencode(encoders), () => undefined],
};

const faults = {};
const errors = {};
const wrong = [];
for (const [kind, [change, effect]] of Object.entries(kinds)) {
  faults[kind] = 0;
  errors[kind] = 0;
  for (let position = Object.keys(faults).length % step; ; position += Number(step)) {
    n += 1;
    if (kind === 'delete' && states[3] === undefined) {
      await corpus.put(lineOf(pictures, 3, n));
      states[3] = { n, without: [] };
    }
    const after = [...states];
    effect(after);
    const before = await corpus.snapshot();
    disk.arm(position);
    const error = await change().then(
      () => undefined,
      (reason) => reason,
    );
    const failed = disk.disarm(error);
    const where = `${kind}, position ${position}, ${error?.code ?? error?.message ?? 'no error'}`;
    try {
      if (error !== undefined && error.code !== 'FILE_NOT_WRITABLE') throw error;
      if (error !== undefined && !failed) throw new Error('an error without a fault');
      // A snapshot of before does not notice.
      await requireFindable(before, encoders.textEncoder, encoders.imageEncoder).catch((reason) => {
        if (kind !== 'reencode') throw reason;
      });
      await before.release();
      const { ok, problems } = await corpus.verify();
      if (!ok) throw new Error(JSON.stringify(problems));
      const snapshot = await corpus.snapshot();
      const parts = await Promise.all(entityNumbers().map((entity) => partsIn(snapshot, entity)));
      const expected = (of) => entityNumbers().map((entity) => expectedParts(pictures, entity, of[entity]));
      await requireFindable(snapshot, encoders.textEncoder, encoders.imageEncoder);
      await snapshot.release();
      if (JSON.stringify(parts) === JSON.stringify(expected(after))) states = after;
      else if (error === undefined || JSON.stringify(parts) !== JSON.stringify(expected(states)))
        throw new Error('the corpus holds something else');
      // Every other time the corpus is opened anew, as after a crash of the process that met the fault.
      if (n % 2 === 1) {
        await corpus.close();
        corpus = await Corpus.open(folder, encoders, options);
        const { leftovers } = await corpus.verify();
        if (leftovers.length > 0) throw new Error(`left over: ${leftovers}`);
      }
    } catch (reason) {
      wrong.push(`${where}: ${reason.stack ?? reason}`);
    }
    if (!failed || wrong.length > 5) break;
    faults[kind] += 1;
    if (error !== undefined) errors[kind] += 1;
  }
}
await corpus.close();
console.log(JSON.stringify({ faults, errors, wrong }));
