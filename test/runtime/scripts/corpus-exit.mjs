// Leaves a process with a corpus: corpus-exit.mjs <package> <folder> <mode>
//   idle     a corpus is open, and a snapshot; the process ends by itself
//   ingest   exits in the middle of an ingest that would go on for ever
//   query    exits in the middle of a query of the database thread
import { join } from 'node:path';
import { cheapEncoders } from './corpus-changes.mjs';

const [packageUrl, folder, mode] = process.argv.slice(2);
const { Corpus } = await import(packageUrl);
const corpus = await Corpus.create(folder, cheapEncoders());
async function* lines() {
  for (let i = 0; ; i++) {
    yield { entity: { id: `e${i}`, title: 'E' }, passages: [{ id: `p${i}`, text: `Passage ${i}` }] };
  }
}
console.log('{}');
if (mode === 'idle') await corpus.snapshot();
else if (mode === 'ingest') {
  corpus.ingest(lines());
  setTimeout(() => process.exit(0), 100);
} else {
  const { DatabaseThread } = await import(new URL('corpus/database/database-thread.js', packageUrl));
  const file = join(folder, 'corpus.sqlite');
  const connection = await new DatabaseThread().open(file, file, 'read');
  connection.all(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT max(i) FROM n',
  );
  setTimeout(() => process.exit(0), 50);
}
