import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Corpus } from '../corpus/corpus.js';
import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import type { Entity } from '../corpus/records.js';
import type { CorpusSnapshot } from '../corpus/snapshot/corpus-snapshot.js';
import { GranuleError } from '../errors.js';
import { ExtractiveReader } from '../generators/extractive/extractive-reader.js';
import { generatorInThreads, type ThreadedGenerator } from '../generators/threads/threaded-generator.js';
import { DensePassageRetriever } from '../retrievers/dense-passage-retriever.js';
import { ImageEntityRetriever } from '../retrievers/image-entity-retriever.js';
import { type BuiltInEncodersInThreads, builtInEncodersInThreads } from '../systems/built-in-encoders.js';
import { MiRag } from '../systems/mirag.js';
import type { OpenedEncoders, OpenMiRagOptions } from '../systems/open-mirag.js';
import { type CorpusHits, searchCorpus } from '../systems/search-corpus.js';
import {
  answerBody,
  documentHitBody,
  entityBody,
  entityHitBody,
  type ImageIds,
  imageHitBody,
  passageBody,
  passageHitBody,
  stageBody,
} from './answer-body.js';
import { CorpusDocumentWriter } from './corpus-document-writer.js';
import type {
  CallOptions,
  KnowledgeBase,
  KnowledgeBaseQuery,
  KnowledgeBaseQuestion,
  KnowledgeBaseWriter,
  StoredImage,
} from './knowledge-base.js';
import type { AnswerBody, DocumentBody, EntityBody, PassageBody, SearchReply, StageBody } from './schemas.js';

/** Media types by the extension that an ingest gave an image, after what its bytes are. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.heif': 'image/avif',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.tiff': 'image/tiff',
  '.webp': 'image/webp',
};

/** Options of {@link openKnowledgeBase}. */
export interface OpenKnowledgeBaseOptions extends Pick<OpenMiRagOptions, 'adapt' | 'encodedBy'> {
  /** Whether documents can be stored and deleted; default false, which never writes. */
  readonly writable?: boolean;
}

/**
 * Opens a corpus that was built with the built-in encoders, or with what `encodedBy` makes of them.
 *
 * @throws GranuleError as `Corpus.open`
 */
export async function openKnowledgeBase(
  folder: string,
  { writable = false, adapt, encodedBy }: OpenKnowledgeBaseOptions = {},
): Promise<KnowledgeBase> {
  const options = { threads: availableParallelism() };
  // The event loop is for requests: encoding and reading happen in threads, which are started when they are first needed.
  const parts = {
    encoders: builtInEncodersInThreads(options),
    generator: generatorInThreads(new ExtractiveReader(), options),
  };
  const encoders: OpenedEncoders = { ...parts.encoders, ...encodedBy?.(parts.encoders) };
  const corpus = await Corpus.open(folder, encoders, { readOnly: !writable });
  try {
    const asking = { ...encoders, ...adapt?.(encoders) };
    return new CorpusKnowledgeBase(corpus, { ...parts, asking }, writable);
  } catch (error) {
    await corpus.close();
    await parts.encoders.close();
    await parts.generator.close();
    throw error;
  }
}

/** What a knowledge base works with, and closes. */
interface Parts {
  readonly encoders: BuiltInEncodersInThreads;
  /** What encodes questions and pictures: the encoders, with what is on top of them. */
  readonly asking: OpenedEncoders;
  readonly generator: ThreadedGenerator;
}

/** A corpus; each call sees one state of it, the latest. */
class CorpusKnowledgeBase implements KnowledgeBase {
  readonly writer?: KnowledgeBaseWriter;
  readonly #corpus: Corpus;
  readonly #parts: Parts;

  constructor(corpus: Corpus, parts: Parts, writable: boolean) {
    this.#corpus = corpus;
    this.#parts = parts;
    if (writable) this.writer = new CorpusDocumentWriter(corpus);
  }

  async status() {
    const { version, counts, encoders } = await this.#corpus.info();
    const { entities, documents, passages, images } = counts;
    return {
      corpusVersion: version,
      counts: { entities, documents, passages, images },
      encoders: (['text', 'image'] as const).map((role) => {
        const { name, version: ofEncoder, dimension } = encoders[role];
        return { role, name, version: ofEncoder, dimension };
      }),
    };
  }

  ask(
    { question, image, entity: id, filter, ...options }: KnowledgeBaseQuestion,
    { signal, onStage }: CallOptions & { readonly onStage?: (stage: StageBody) => void },
  ): Promise<AnswerBody> {
    return this.#read(signal, async (snapshot) => {
      const { entities, passages } = this.#retrievers(snapshot);
      const mirag = new MiRag({ entities, passages, generator: this.#parts.generator });
      const entity = id === undefined ? undefined : await snapshot.entity(id);
      if (id !== undefined && entity === undefined) {
        throw new GranuleError('NOT_FOUND', 'there is no entity with this id');
      }
      const answered = await mirag.ask(
        { question, ...(image !== undefined && { image }), ...(entity !== undefined && { entity }) },
        {
          ...options,
          signal,
          ...(filter !== undefined && { filter: filter as MetadataFilter }),
          ...(onStage && { onStep: (step) => onStage(stageBody(step)) }),
        },
      );
      const named = answered.entities.map(({ item }) => item);
      return answerBody(answered, await imageIds(snapshot, named));
    });
  }

  search(
    { text, image, level, k, filter }: KnowledgeBaseQuery,
    { signal }: CallOptions,
  ): Promise<SearchReply> {
    return this.#read(signal, async (snapshot) => {
      const options = { k, signal, filter: filter as MetadataFilter | undefined };
      const timings = {};
      const corpus = { snapshot, ...this.#retrievers(snapshot) };
      const found = await searchCorpus(corpus, { text, image, level }, options, timings);
      return { ...(await hitBodies(snapshot, found)), timings };
    });
  }

  entity(id: string): Promise<EntityBody | undefined> {
    return this.#read(undefined, async (snapshot) => {
      const entity = await snapshot.entity(id);
      return entity && entityBody(entity, await imageIds(snapshot, [entity]));
    });
  }

  document(id: string): Promise<DocumentBody | undefined> {
    return this.#read(undefined, async (snapshot) => {
      const document = await snapshot.document(id);
      if (document === undefined) return undefined;
      const { entityId, title, text, metadata } = document;
      const passages = await snapshot.documentPassages(id);
      return {
        id,
        entity: entityId,
        ...(title !== undefined && { title }),
        text,
        ...(metadata !== undefined && { metadata: { ...metadata } }),
        passages: passages.map(passageBody),
      };
    });
  }

  passage(id: string): Promise<PassageBody | undefined> {
    return this.#read(undefined, async (snapshot) => {
      const passage = await snapshot.passage(id);
      return passage && passageBody(passage);
    });
  }

  image(id: string): Promise<StoredImage | undefined> {
    return this.#read(undefined, async (snapshot) => {
      const image = await snapshot.image(id);
      if (image === undefined) return undefined;
      const { entityId, file } = image;
      const contentType = MEDIA_TYPES[extname(file)] ?? 'application/octet-stream';
      return { id, entity: entityId, contentType, bytes: () => readFile(file) };
    });
  }

  async close(): Promise<void> {
    await this.#corpus.close();
    await Promise.all([this.#parts.encoders.close(), this.#parts.generator.close()]);
  }

  #retrievers(snapshot: CorpusSnapshot) {
    const { textEncoder, imageEncoder } = this.#parts.asking;
    return {
      entities: new ImageEntityRetriever(imageEncoder, snapshot),
      passages: new DensePassageRetriever({ encoder: textEncoder, store: snapshot }),
    };
  }

  async #read<T>(
    signal: AbortSignal | undefined,
    work: (snapshot: CorpusSnapshot) => Promise<T>,
  ): Promise<T> {
    const snapshot = await this.#corpus.snapshot({ signal });
    try {
      return await work(snapshot);
    } finally {
      await snapshot.release();
    }
  }
}

/** The ids of the images of these entities. */
async function imageIds(snapshot: CorpusSnapshot, entities: readonly Entity[]): Promise<ImageIds> {
  const distinct = [...new Set(entities.map(({ id }) => id))];
  const images = await Promise.all(distinct.map((id) => snapshot.entityImages(id)));
  const byEntity = new Map(distinct.map((id, i) => [id, images[i]!.map((image) => image.id)]));
  return ({ id }) => byEntity.get(id) ?? [];
}

/** The hits of a search as they go over HTTP. */
async function hitBodies(snapshot: CorpusSnapshot, found: CorpusHits) {
  switch (found.level) {
    case 'passage':
      return { level: found.level, hits: found.hits.map(passageHitBody) };
    case 'document':
      return { level: found.level, hits: found.hits.map(documentHitBody) };
    case 'entity': {
      const named = found.hits.map(({ item }) => item);
      const ids = await imageIds(snapshot, named);
      return { level: found.level, hits: found.hits.map((hit) => entityHitBody(hit, ids)) };
    }
    case 'image': {
      const named = found.hits.map(({ item }) => item.entity);
      const ids = await imageIds(snapshot, named);
      return { level: found.level, hits: found.hits.map((hit) => imageHitBody(hit, ids)) };
    }
  }
}
