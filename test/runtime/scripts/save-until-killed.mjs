// Changes an index and saves it after each change, until it is killed: save-until-killed.mjs <package> <folder> <series>
// Prints the number of changes that are saved, each time.
import { change, seriesOptions } from './index-states.mjs';

const [packageUrl, folder, series] = process.argv.slice(2);
const { FlatIndex, MultiVectorIndex } = await import(packageUrl);
const { documents, options } = seriesOptions(Number(series));
const index = new (documents ? MultiVectorIndex : FlatIndex)(options);
for (let n = 0; ; n++) {
  await change(index, Number(series), n);
  await index.save(folder);
  process.stdout.write(`${n + 1}\n`);
}
