// Reads a corpus and tries to change it: corpus-reader.mjs <package> <folder>
import { cheapEncoders, requireFindable } from './corpus-changes.mjs';

const [packageUrl, folder] = process.argv.slice(2);
const { Corpus } = await import(packageUrl);
const encoders = cheapEncoders();
const corpus = await Corpus.open(folder, encoders);
const snapshot = await corpus.snapshot();
await requireFindable(snapshot, encoders.textEncoder, encoders.imageEncoder);
const { entities } = snapshot.counts;
await snapshot.release();
const { ok } = await corpus.verify();
const put = await corpus.put({ entity: { id: 'x', title: 'X' } }).catch(({ code }) => code);
await corpus.close();
console.log(JSON.stringify({ entities, ok, put }));
