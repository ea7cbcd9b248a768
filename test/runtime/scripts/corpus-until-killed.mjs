// Changes a corpus until it is killed: corpus-until-killed.mjs <package> <folder> <pictures> <seed> <first change>
// Prints the number of each change before it begins ("begin 3") and when it is acknowledged ("done 3").
import { writeSync } from 'node:fs';
import { cheapEncoders, makeChange } from './corpus-changes.mjs';

const [packageUrl, folder, pictures, seed, first] = process.argv.slice(2);
const { Corpus } = await import(packageUrl);
// A small journal, so that its vectors move to the index folders again and again.
const corpus = await Corpus.open(folder, cheapEncoders(), { journalBytes: 6000 });
for (let n = Number(first); ; n++) {
  writeSync(1, `begin ${n}\n`);
  await makeChange(corpus, pictures, seed, n);
  writeSync(1, `done ${n}\n`);
}
