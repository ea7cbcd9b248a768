import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Entity } from '../corpus/records.js';
import { GranuleError } from '../errors.js';
import { builtInEncoders } from '../systems/built-in-encoders.js';
import { type OpenedMiRag, openMiRag } from '../systems/open-mirag.js';
import {
  answerBody,
  entityBody,
  entityHitBody,
  passageBody,
  passageHitBody,
  stageBody,
} from './answer-body.js';
import type {
  CallOptions,
  KnowledgeBase,
  KnowledgeBaseQuery,
  KnowledgeBaseQuestion,
  StoredImage,
} from './knowledge-base.js';
import type { AnswerBody, SearchReply, StageBody, StatusBody } from './schemas.js';

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

/**
 * Opens a corpus that was built with the built-in encoders, for reading.
 *
 * @throws GranuleError as `openMiRag` does
 */
export async function openKnowledgeBase(folder: string): Promise<KnowledgeBase> {
  return new OpenedKnowledgeBase(await openMiRag(folder));
}

class OpenedKnowledgeBase implements KnowledgeBase {
  readonly #opened: OpenedMiRag;
  readonly #passages: ReadonlyMap<string, number>;

  constructor(opened: OpenedMiRag) {
    this.#opened = opened;
    this.#passages = new Map(opened.corpus.passages.map(({ id }, i) => [id, i]));
  }

  async status(): Promise<Omit<StatusBody, 'version' | 'writable'>> {
    const { corpus } = this.#opened;
    const { textEncoder, imageEncoder } = builtInEncoders();
    const encoders = [
      { role: 'text' as const, encoder: textEncoder },
      { role: 'image' as const, encoder: imageEncoder },
    ];
    return {
      corpusVersion: 1,
      counts: {
        entities: corpus.entities.length,
        documents: 0,
        passages: corpus.passages.length,
        images: corpus.picturedEntities.length,
      },
      encoders: encoders.map(({ role, encoder: { name, version, dimension } }) => ({
        role,
        name,
        version,
        dimension,
      })),
    };
  }

  async ask(
    { question, image, entity, filter, ...options }: KnowledgeBaseQuestion,
    { signal, onStage }: CallOptions & { readonly onStage?: (stage: StageBody) => void },
  ): Promise<AnswerBody> {
    refuseFilter(filter);
    const answered = await this.#opened.mirag.ask(
      {
        question,
        ...(image !== undefined && { image }),
        ...(entity !== undefined && { entity: this.#requireEntity(entity) }),
      },
      { ...options, signal, ...(onStage && { onStep: (step) => onStage(stageBody(step)) }) },
    );
    return answerBody(answered, imageIds);
  }

  async search(
    { text, image, level, k, filter }: KnowledgeBaseQuery,
    { signal }: CallOptions,
  ): Promise<SearchReply> {
    refuseFilter(filter);
    const timings = {};
    if (image !== undefined && level === 'entity') {
      const hits = await this.#opened.entities.retrieve(image, { k, signal }, timings);
      return { level, hits: hits.map((hit) => entityHitBody(hit, imageIds)), timings };
    }
    if (text !== undefined && level === 'passage') {
      const [hits = []] = await this.#opened.passages.retrieve([text], { k, signal }, timings);
      return { level, hits: hits.map(passageHitBody), timings };
    }
    throw new GranuleError(
      'INVALID_ARGUMENT',
      'a text finds passages and an image finds entities; other levels cannot be searched',
    );
  }

  async entity(id: string) {
    const entity = this.#opened.corpus.entityById(id);
    return entity && entityBody(entity, imageIds);
  }

  async document(_id: string): Promise<undefined> {}

  async passage(id: string) {
    const place = this.#passages.get(id);
    return place === undefined ? undefined : passageBody(this.#opened.corpus.passages[place]!);
  }

  async image(id: string): Promise<StoredImage | undefined> {
    const path = this.#opened.corpus.imagePath(id);
    if (path === undefined) return undefined;
    const contentType = MEDIA_TYPES[extname(path)] ?? 'application/octet-stream';
    return { id, entity: id, contentType, bytes: () => readFile(path) };
  }

  async close(): Promise<void> {
    this.#opened.dispose();
  }

  #requireEntity(id: string): Entity {
    const entity = this.#opened.corpus.entityById(id);
    if (entity === undefined) throw new GranuleError('NOT_FOUND', 'there is no entity with this id');
    return entity;
  }
}

/** An entity has one image at most, which goes by the entity's id. */
function imageIds({ id, image }: Entity): string[] {
  return image === undefined ? [] : [id];
}

function refuseFilter(filter: object | undefined): void {
  if (filter === undefined) return;
  throw new GranuleError('INVALID_ARGUMENT', 'this knowledge base takes no filter of metadata');
}
