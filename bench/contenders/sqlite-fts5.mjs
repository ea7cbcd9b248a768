import { createRequire } from 'node:module';
import { eachPassage } from '../bm25-oracle.mjs';
import { textOf } from '../seeded-words.mjs';

export default {
  name: 'sqlite-fts5',
  exact: true,
  claimsBits: false,
  copies: () => 3,
  kinds: ['bm25'],
  refuses: ({ threads }) => (threads > 1 ? 'runs on one thread' : undefined),
  open({ dataset }) {
    const Database = createRequire(import.meta.url)('libsql');
    const database = new Database(':memory:');
    // Without the texts themselves, and with its segments merged into one: what it searches fastest.
    database.exec("CREATE VIRTUAL TABLE passages USING fts5(text, content = '')");
    const insert = database.prepare('INSERT INTO passages(rowid, text) VALUES (?, ?)');
    database.exec('BEGIN');
    eachPassage(dataset, (row, words) => insert.run(BigInt(row), textOf(words)));
    database.exec('COMMIT');
    database.exec("INSERT INTO passages(passages) VALUES ('optimize')");
    const select = database.prepare(
      'SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?',
    );
    return ({ k }) => ({
      elementBytes: 4,
      search: (query) => select.all(textOf(query).replaceAll(' ', ' OR '), k),
      hits: (found) => ({ rows: found.map(({ rowid }) => Number(rowid)) }),
    });
  },
};
