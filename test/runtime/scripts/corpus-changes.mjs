// A series of changes of a corpus that follows from a seed alone, whatever the corpus holds; cheap encoders; and what a
// corpus must hold after a number of changes.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ENTITIES = 12;
const PICTURES = 6;

/** Numbers from 0 to 1 that follow from a text. */
function numbersOf(text, count) {
  const numbers = [];
  for (let block = 0; numbers.length < count; block++) {
    const digest = createHash('sha256').update(`${block} ${text}`).digest();
    for (let i = 0; i + 4 <= digest.length; i += 4) numbers.push(digest.readUInt32LE(i) / 2 ** 32);
  }
  return numbers.slice(0, count);
}

function unit(numbers) {
  const centred = numbers.map((number) => number - 0.5);
  const norm = Math.hypot(...centred);
  return centred.map((number) => number / norm);
}

/** Learns how many passages there are, and gives each text a direction of its own. */
export class CheapTextEncoder {
  name = 'cheap-text';
  version = '1';
  dimension = 16;
  learned = undefined;

  fit(passages) {
    this.learned = [...passages].length;
  }
  state() {
    return new Uint8Array(Uint32Array.of(this.learned).buffer);
  }
  restore(state) {
    this.learned = new Uint32Array(state.slice().buffer)[0];
  }
  async encodePassages(texts) {
    if (this.learned === undefined) throw new Error('encoded before it was fitted');
    const rows = texts.map((text) => unit(numbersOf(`${this.learned} ${text}`, this.dimension)));
    const data = Float32Array.from(rows.flat());
    return { vectors: { data, rows: texts.length, columns: this.dimension } };
  }
  encodeQueries(texts) {
    return this.encodePassages(texts);
  }
}

/** Gives each image file a direction of its own, and one to three patches. */
export class CheapImageEncoder {
  name = 'cheap-image';
  version = '1';
  dimension = 8;
  patchDimension = 4;

  async encodeImages(files) {
    const contents = files.map((file) => readFileSync(file, 'latin1'));
    const lengths = Uint32Array.from(contents, (text) => 1 + Math.floor(numbersOf(text, 1)[0] * 3));
    const patches = contents.flatMap((text, i) => unit(numbersOf(`patches ${text}`, lengths[i] * 4)));
    const vectors = contents.flatMap((text) => unit(numbersOf(text, this.dimension)));
    return {
      vectors: { data: Float32Array.from(vectors), rows: files.length, columns: this.dimension },
      patches: { data: Float32Array.from(patches), lengths, columns: 4 },
      patchQuads: new Float32Array(patches.length * 2).fill(0.5),
    };
  }
  async encodeQuery() {
    throw new Error('not used');
  }
}

export const cheapEncoders = () => ({
  textEncoder: new CheapTextEncoder(),
  imageEncoder: new CheapImageEncoder(),
});

/** Writes the pictures that lines name. */
export function writePictures(folder) {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < PICTURES; i++) {
    const [red, green, blue] = numbersOf(`picture ${i}`, 3).map((number) => Math.floor(number * 256));
    const fill = `rgb(${red},${green},${blue})`;
    writeFileSync(
      join(folder, `${i}.svg`),
      `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16" fill="${fill}"/></svg>`,
    );
  }
}

/** An entity's line as change `n` writes it. */
export function lineOf(pictures, entity, n) {
  const id = `e${entity}`;
  const [passages, document, images] = numbersOf(`line ${entity} ${n}`, 3);
  const line = {
    entity: { id, title: `Entity ${entity}` },
    metadata: { n, even: n % 2 === 0 },
    passages: Array.from({ length: Math.floor(passages * 4) }, (_, p) => ({
      id: `${id}-p${p}`,
      text: `Entity ${entity}. Passage ${p} of change ${n}.`,
    })),
    documents: [],
    images: [],
  };
  if (document > 0.5) {
    const sentences = Array.from(
      { length: 30 },
      (_, s) => `Sentence ${s} of change ${n} is about ${entity}.`,
    );
    line.documents.push({ id: `${id}-d`, text: sentences.join(' ') });
  }
  for (let i = 0; i < Math.floor(images * 3); i++) {
    line.images.push({ file: join(pictures, `${(entity + n + i) % PICTURES}.svg`) });
  }
  return line;
}

/** Change `n`: what it does, and to which entities. */
export function changeOf(seed, n) {
  const [kind, entity, part] = numbersOf(`change ${seed} ${n}`, 3);
  const number = Math.floor(entity * ENTITIES);
  if (n === 0 || kind < 0.3) {
    const lines = n % 5 === 0 ? ENTITIES : 1 + Math.floor(part * 5);
    return { kind: 'ingest', entities: Array.from({ length: lines }, (_, i) => (number + i) % ENTITIES) };
  }
  if (kind < 0.65) return { kind: 'put', entities: [number] };
  if (kind < 0.75) return { kind: 'delete', entities: [number], target: { entity: `e${number}` } };
  if (kind < 0.8)
    return { kind: 'delete', entities: [number], target: { passage: `e${number}-p${Math.floor(part * 3)}` } };
  if (kind < 0.84) return { kind: 'delete', entities: [number], target: { document: `e${number}-d` } };
  if (kind < 0.88) return { kind: 'delete', entities: [number], target: { image: `e${number}` } };
  if (kind < 0.94) return { kind: 'compact', entities: [] };
  return { kind: 'reencode', entities: [] };
}

/** Makes change `n`. */
export async function makeChange(corpus, pictures, seed, n) {
  const change = changeOf(seed, n);
  const lines = change.entities.map((entity) => lineOf(pictures, entity, n));
  if (change.kind === 'ingest') await corpus.ingest(lines);
  else if (change.kind === 'put') await corpus.put(lines[0]);
  else if (change.kind === 'delete') await corpus.delete(change.target);
  else if (change.kind === 'compact') await corpus.compact();
  else await corpus.reencode(cheapEncoders());
}

/** What change `n` makes of an entity: `{ n, without }` with the change that wrote its line and the parts deleted since. */
export function entityAfter(seed, n, entity, before) {
  const change = changeOf(seed, n);
  if (!change.entities.includes(entity)) return before;
  if (change.kind === 'ingest' || change.kind === 'put') return { n, without: [] };
  if (change.target.entity !== undefined || before === undefined) return undefined;
  return { n: before.n, without: [...before.without, ...Object.values(change.target)] };
}

/** Entities by number as a corpus has them after a change, one that was killed in the middle included. */
export const entityNumbers = () => Array.from({ length: ENTITIES }, (_, entity) => entity);

/** What a corpus must say of an entity: its parts, as text. */
export function expectedParts(pictures, entity, state) {
  if (state === undefined) return undefined;
  const { entity: head, metadata, passages, documents, images } = lineOf(pictures, entity, state.n);
  const kept = ({ id }) => !state.without.includes(id);
  return JSON.stringify({
    id: head.id,
    n: metadata.n,
    passages: passages.filter(kept).map(({ text }) => text),
    documents: documents.filter(kept).map(({ text }) => text),
    images: images
      .map(({ file }, i) => ({
        id: i === 0 ? head.id : `${head.id}#${i + 1}`,
        file: readFileSync(file, 'latin1'),
      }))
      .filter(kept),
  });
}

/** The same as a snapshot has it. */
export async function partsIn(snapshot, entity) {
  const id = `e${entity}`;
  const found = await snapshot.entity(id);
  if (found === undefined) return undefined;
  const document = await snapshot.document(`${id}-d`);
  const passages = (await snapshot.entityPassages(id)).filter((passage) => passage.documentId === undefined);
  return JSON.stringify({
    id,
    n: found.metadata.n,
    passages: passages.map(({ text }) => text),
    documents: document === undefined ? [] : [document.text],
    images: (await snapshot.entityImages(id)).map((image) => ({
      id: image.id,
      file: readFileSync(image.file, 'latin1'),
    })),
  });
}

/** Whether every passage is found by its own vector, and every image; an error says which is not. */
export async function requireFindable(snapshot, textEncoder, imageEncoder) {
  for (const entity of entityNumbers()) {
    const passages = await snapshot.entityPassages(`e${entity}`);
    if (passages.length > 0) {
      const { vectors } = await textEncoder.encodeQueries(passages.map(({ text }) => text));
      const hits = await snapshot.searchPassages(vectors, { k: 1 });
      const found = await snapshot.passages([...hits.rows]);
      for (const [i, { text }] of passages.entries())
        if (found[i].text !== text) throw new Error(`'${text}' is not found, but '${found[i].text}'`);
    }
    const images = await snapshot.entityImages(`e${entity}`);
    if (images.length === 0) continue;
    const encoded = await imageEncoder.encodeImages(images.map(({ file }) => file));
    const hits = await snapshot.searchImages(encoded.vectors, { k: 1 });
    const found = await snapshot.images([...hits.rows]);
    for (const [i, { sha256 }] of images.entries())
      if (found[i].sha256 !== sha256) throw new Error(`image ${images[i].id} is not found`);
    const { patches } = await snapshot.imagePatches([...hits.rows]);
    if (JSON.stringify([...patches.data]) !== JSON.stringify([...encoded.patches.data]))
      throw new Error(`the patches of ${images[0].id} are others`);
  }
  const { counts } = snapshot;
  if (counts.searchablePassages !== counts.passages || counts.searchableImages !== counts.images)
    throw new Error(`not everything can be found: ${JSON.stringify(counts)}`);
}
