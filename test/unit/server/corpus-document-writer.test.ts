import { expect, it } from 'vitest';
import { Corpus } from '../../../src/corpus/corpus.js';
import { CorpusDocumentWriter } from '../../../src/server/corpus-document-writer.js';
import { fakeEncoders } from '../corpus/fake-encoders.js';
import { build, lineOf, lookAt } from '../corpus/small-corpus.js';

const call = { signal: new AbortController().signal };

/** The corpus, before every call of which `change` runs. */
function changedBefore(corpus: Corpus, change: () => Promise<unknown>): Corpus {
  return new Proxy(corpus, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...given: unknown[]) => unknown;
      return async (...given: unknown[]) => {
        await change();
        return method.apply(target, given);
      };
    },
  });
}

it('a document is stored beside whatever others change of its entity, at whatever moment', async () => {
  const { corpus, kb } = await build([lineOf('a'), lineOf('b')]);
  const other = await Corpus.open(kb, fakeEncoders());
  let changes = 0;
  const writer = new CorpusDocumentWriter(
    changedBefore(corpus, async () => {
      changes += 1;
      const id = `other-${changes}`;
      await other.putDocument({ id: 'a' }, { id, text: `Change ${changes}.` });
    }),
  );
  const request = { entity: { id: 'a' }, text: 'Mine.' };
  expect(await writer.putDocument('mine', request, call)).toMatchObject({
    id: 'mine',
    created: true,
  });
  expect(await writer.putDocument('mine', { ...request, text: 'Mine anew.' }, call)).toMatchObject({
    created: false,
  });
  expect(await writer.deleteDocument('other-1')).toBe(true);
  const { version } = await corpus.info();
  const [ids, texts] = await lookAt(corpus, async (snapshot) => {
    const passages = await snapshot.entityPassages('a');
    return [passages.map(({ documentId }) => documentId), passages.map(({ text }) => text)];
  });
  const others = Array.from({ length: changes }, (_, i) => `other-${i + 1}`).slice(1);
  expect(ids.toSorted()).toEqual(['mine', ...others, undefined, undefined].toSorted());
  expect(texts).toContain('A. Mine anew.');
  expect(version).toBeGreaterThan(changes);
  await Promise.all([other.close(), corpus.close()]);
});
