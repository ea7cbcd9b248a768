import type {
  CallOptions,
  KnowledgeBase,
  KnowledgeBaseQuery,
  KnowledgeBaseQuestion,
  KnowledgeBaseWriter,
  StoredImage,
} from '../../src/server/knowledge-base.js';
import type {
  AnswerBody,
  DocumentBody,
  DocumentRequest,
  EntityBody,
  PassageBody,
  SearchReply,
  StageBody,
} from '../../src/server/schemas.js';

const ENTITY: EntityBody = { id: 'red', title: 'Ruby', images: ['red'] };
const PASSAGE: PassageBody = { id: 'red-1', entity: 'red', text: 'Ruby. The capital of Ruby is Crimson.' };

const QUAD = [0, 0, 1, 0, 1, 1, 0, 1];

/** A picture that browsers would run as a program, were they allowed to. */
export const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><script>alert(1)</script></svg>';

const STAGES: readonly StageBody[] = [
  { step: 'entities', source: 'none', found: [] },
  { step: 'expansion', queries: ['the question'] },
  { step: 'passages', found: [{ id: 'red-1', probability: 1 }] },
  { step: 'answers', generator: 'fake', found: [{ passage: 'red-1', text: 'Crimson', probability: 1 }] },
  {
    step: 'selection',
    by: 'joint',
    answer: 'Crimson',
    entity: null,
    passage: 'red-1',
    probabilities: { entity: 1, passage: 1, answer: 1, joint: 1 },
    otherwise: null,
  },
];

/** A knowledge base of one entity whose answers come when the test lets them, and whose documents lie in memory. */
export class FakeKnowledgeBase implements KnowledgeBase {
  readonly documents = new Map<string, DocumentBody>();
  readonly questions: KnowledgeBaseQuestion[] = [];
  readonly queries: KnowledgeBaseQuery[] = [];
  /** What `ask` and `search` wait for before they answer; it may reject. */
  gate: () => Promise<void> = async () => {};
  /** Whether a work takes notice of its signal. */
  obedient = true;
  running = 0;
  mostRunning = 0;
  aborted = 0;
  closed = false;
  #version = 1;

  readonly writer: KnowledgeBaseWriter = {
    putDocument: async (id, { entity, ...document }: DocumentRequest) => {
      const created = !this.documents.has(id);
      const passages = [
        { id: `${id}#1`, entity: entity.id, document: id, text: document.text, start: 0, end: 1 },
      ];
      this.documents.set(id, { id, entity: entity.id, ...document, passages });
      this.#version += 1;
      return { id, created, version: this.#version };
    },
    deleteDocument: async (id) => this.documents.delete(id),
  };

  async status() {
    return {
      corpusVersion: this.#version,
      counts: { entities: 1, documents: this.documents.size, passages: 1, images: 1 },
      encoders: [{ role: 'text' as const, name: 'fake', version: '1', dimension: 4 }],
    };
  }

  async ask(
    question: KnowledgeBaseQuestion,
    { signal, onStage }: CallOptions & { readonly onStage?: (stage: StageBody) => void },
  ): Promise<AnswerBody> {
    this.questions.push(question);
    onStage?.(STAGES[0]!);
    await this.#work(signal);
    for (const stage of STAGES.slice(1)) onStage?.(stage);
    return {
      question: question.question,
      answer: 'Crimson',
      select: question.select ?? 'joint',
      entity: ENTITY,
      passage: PASSAGE,
      span: [29, 36],
      probabilities: { entity: 1, passage: 1, answer: 1, joint: 1 },
      votes: [{ text: 'Crimson', probability: 1, paths: 1 }],
      entities: [
        {
          entity: ENTITY,
          score: 0.5,
          probability: 1,
          region: QUAD,
          matches: [{ query: QUAD, entity: QUAD, similarity: 0.9 }],
        },
      ],
      passages: [
        {
          passage: PASSAGE,
          entity: 0,
          score: 0.5,
          probability: 1,
          answers: [{ text: 'Crimson', probability: 1, span: [29, 36] }],
        },
      ],
      timings: { total: 1 },
      trace: [...STAGES],
    };
  }

  async search(query: KnowledgeBaseQuery, { signal }: CallOptions): Promise<SearchReply> {
    this.queries.push(query);
    await this.#work(signal);
    const hit = { score: 0.5, probability: 1 };
    const seen = { region: QUAD, matches: [{ query: QUAD, entity: QUAD, similarity: 0.9 }] };
    switch (query.level ?? (query.text === undefined ? 'entity' : 'passage')) {
      case 'passage':
        return { level: 'passage', hits: [{ passage: PASSAGE, ...hit }], timings: {} };
      case 'document': {
        const document = { id: 'history', entity: 'red', title: 'History', metadata: { year: 1900 } };
        return { level: 'document', hits: [{ document, passage: PASSAGE, ...hit }], timings: {} };
      }
      case 'entity': {
        const found = query.text === undefined ? { image: 'red', ...seen } : { passage: PASSAGE };
        return { level: 'entity', hits: [{ entity: ENTITY, ...hit, ...found }], timings: {} };
      }
      case 'image':
        return { level: 'image', hits: [{ image: 'red', entity: ENTITY, ...hit, ...seen }], timings: {} };
    }
  }

  async entity(id: string) {
    return id === ENTITY.id ? ENTITY : undefined;
  }

  async document(id: string) {
    return this.documents.get(id);
  }

  async passage(id: string) {
    return id === PASSAGE.id ? PASSAGE : undefined;
  }

  async image(id: string): Promise<StoredImage | undefined> {
    if (id !== 'red') return undefined;
    return { id, entity: 'red', contentType: 'image/svg+xml', bytes: async () => Buffer.from(SVG) };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async #work(signal: AbortSignal): Promise<void> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        this.aborted += 1;
        if (this.obedient) reject(signal.reason);
      };
    });
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.gate(), aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
      this.running -= 1;
    }
  }
}
