import { describe, expect, test } from 'vitest';
import type { Entity, Passage } from '../../../src/corpus/records.js';
import type { GeneratedAnswer, Generator } from '../../../src/generators/generator.js';
import type { EntityRetriever, PassageRetriever } from '../../../src/retrievers/retriever.js';
import { MiRag } from '../../../src/systems/mirag.js';
import { formatTrace } from '../../../src/systems/mirag-trace.js';

const ENTITIES: Entity[] = ['Alpha', 'Beta', 'Gamma'].map((title) => ({ id: title.toLowerCase(), title }));
const IMAGE = new Uint8Array(1);

function passage(id: string): Passage {
  return { id, entityId: id.split('-')[0]!, text: `Text of ${id}.` };
}

/** Entities with the given probabilities. */
function entityRetriever(probabilities: readonly number[]): EntityRetriever & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    retrieve: async (image, { k }) => {
      asked.push(image);
      return probabilities
        .slice(0, k)
        .map((probability, i) => ({ item: ENTITIES[i]!, score: -i, probability }));
    },
  };
}

/** Per query's last word, the passages with their scores. */
function passageRetriever(lists: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  const asked: string[] = [];
  const retriever: PassageRetriever = {
    retrieve: async (texts, { k }) => {
      asked.push(...texts);
      return texts.map((text) =>
        Object.entries(lists[text.split(' ').at(-1)!] ?? {})
          .slice(0, k)
          .map(([id, score]) => ({ item: passage(id), score, probability: 0.5 })),
      );
    },
  };
  return { ...retriever, asked };
}

/** Per passage, its answers with their probabilities. */
function generator(answers: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  const asked: { question: string; ids: string[] }[] = [];
  const made: Generator = {
    name: 'table',
    generate: async (question, passages) => {
      asked.push({ question, ids: passages.map(({ id }) => id) });
      return passages.map(({ id }) =>
        Object.entries(answers[id] ?? {}).map(
          ([text, probability]): GeneratedAnswer => ({
            text,
            logProbability: Math.log(probability),
            span: [0, 4],
          }),
        ),
      );
    },
  };
  return { ...made, asked };
}

const LISTS = {
  Alpha: { 'alpha-1': 1, 'alpha-2': 0.5 },
  Beta: { 'beta-1': 1, 'alpha-1': 0.2 },
  Gamma: { 'gamma-1': 0.1 },
};
const ANSWERS = {
  'alpha-1': { Paris: 0.5, Rome: 0.3 },
  'alpha-2': { 'the Rome': 0.6 },
  'beta-1': { rome: 0.6 },
};

function system(probabilities = [0.6, 0.3, 0.1]) {
  const entities = entityRetriever(probabilities);
  const passages = passageRetriever(LISTS);
  const reader = generator(ANSWERS);
  return {
    entities,
    passages,
    reader,
    mirag: new MiRag({ entities, passages, generator: reader }, { passageTemperature: 1 }),
  };
}

describe('a filter', () => {
  test('holds for entities and passages alike', async () => {
    const { entities, passages, reader } = system();
    const filters: unknown[] = [];
    const noting = <T>(filter: unknown, result: T): T => {
      filters.push(filter);
      return result;
    };
    const mirag = new MiRag({
      entities: { retrieve: (image, options) => noting(options.filter, entities.retrieve(image, options)) },
      passages: { retrieve: (texts, options) => noting(options.filter, passages.retrieve(texts, options)) },
      generator: reader,
    });
    const filter = { region: 'Europe' };
    await mirag.ask({ question: 'Which city?', image: IMAGE }, { filter });
    expect(filters).toEqual([filter, filter]);
  });
});

test('the retriever of entities is told the question as it was asked', async () => {
  const { entities, passages, reader } = system();
  const told: unknown[] = [];
  const mirag = new MiRag({
    entities: {
      retrieve: (image, options) => {
        told.push(options.question);
        return entities.retrieve(image, options);
      },
    },
    passages,
    generator: reader,
  });
  await mirag.ask({ question: 'Which city at the left?', image: IMAGE });
  expect(told).toEqual(['Which city at the left?']);
});

describe('onStep', () => {
  test('tells each step before the next one begins, and the same steps as the trace', async () => {
    const { entities, passages, reader } = system();
    const order: string[] = [];
    const told = <T>(name: string, result: T): T => {
      order.push(name);
      return result;
    };
    const mirag = new MiRag({
      entities: { retrieve: (...args) => told('retrieve entities', entities.retrieve(...args)) },
      passages: { retrieve: (...args) => told('retrieve passages', passages.retrieve(...args)) },
      generator: { ...reader, generate: (...args) => told('generate', reader.generate(...args)) },
    });
    const steps: unknown[] = [];
    const { trace } = await mirag.ask(
      { question: 'Which city?', image: IMAGE },
      {
        onStep: (step) => {
          order.push(step.step);
          steps.push(step);
        },
      },
    );
    expect(steps).toEqual(trace);
    expect(order).toEqual([
      ...['retrieve entities', 'entities', 'expansion', 'retrieve passages', 'passages', 'generate'],
      ...['answers', 'selection'],
    ]);
  });

  test('ends the question where it throws', async () => {
    const { mirag, reader } = system();
    const onStep = () => {
      throw new Error('enough');
    };
    await expect(mirag.ask({ question: 'Which city?', image: IMAGE }, { onStep })).rejects.toThrow('enough');
    expect(reader.asked).toEqual([]);
  });
});

describe('a question about a picture', () => {
  test('is searched with each title, and read as it was asked', async () => {
    const { mirag, passages, reader, entities } = system();
    await mirag.ask({ question: 'Which city?', image: IMAGE });
    expect(entities.asked).toEqual([IMAGE]);
    expect(passages.asked).toEqual(['Which city? Alpha', 'Which city? Beta', 'Which city? Gamma']);
    expect(reader.asked).toHaveLength(1);
    expect(reader.asked[0]!.question).toBe('Which city?');
    expect([...reader.asked[0]!.ids].sort()).toEqual(['alpha-1', 'alpha-2', 'beta-1', 'gamma-1']);
  });

  test('has the joint and the marginal answer of a hand-computed case', async () => {
    const { mirag } = system();
    const answer = await mirag.ask({ question: 'Which city?', image: IMAGE });
    const mass = Math.exp(1) + Math.exp(0.5) + Math.exp(1) + Math.exp(0.2) + Math.exp(0.1);
    const path = (entity: number, score: number, reading: number) =>
      (entity * Math.exp(score) * reading) / mass;
    expect(answer.answer).toBe('Paris');
    expect(answer.joint!.probabilities.joint).toBeCloseTo(path(0.6, 1, 0.5), 12);
    const rome = path(0.6, 1, 0.3) + path(0.6, 0.5, 0.6) + path(0.3, 1, 0.6) + path(0.3, 0.2, 0.3);
    const paris = path(0.6, 1, 0.5) + path(0.3, 0.2, 0.5);
    expect(Math.exp(answer.marginal!.logProbability)).toBeCloseTo(rome, 12);
    expect(answer.marginal!.text).toBe('the Rome');
    expect(answer.marginal!.paths).toBe(4);
    expect(answer.votes.map(({ logProbability }) => Math.exp(logProbability))).toEqual([
      expect.closeTo(rome, 12),
      expect.closeTo(paris, 12),
    ]);
  });

  test('shows the path of the rule that was chosen', async () => {
    const { mirag } = system();
    const joint = await mirag.ask({ question: 'Which city?', image: IMAGE });
    expect([joint.entity!.id, joint.passage!.id, joint.span]).toEqual(['alpha', 'alpha-1', [0, 4]]);
    const marginal = await mirag.ask({ question: 'Which city?', image: IMAGE }, { select: 'marginal' });
    expect([marginal.answer, marginal.passage!.id]).toEqual(['the Rome', 'alpha-2']);
    expect(marginal.joint).toEqual(joint.joint);
  });

  test('carries probabilities that multiply and sum as they should', async () => {
    const { mirag } = system();
    const { passages, probabilities } = await mirag.ask({ question: 'Which city?', image: IMAGE });
    expect(passages.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    const { entity, passage: read, answer, joint } = probabilities!;
    expect(entity * read * answer).toBeCloseTo(joint, 12);
  });

  test('takes no more entities and passages than it is told to', async () => {
    const { mirag, passages } = system();
    const answer = await mirag.ask(
      { question: 'Which city?', image: IMAGE },
      { entityCount: 2, passageCount: 1 },
    );
    expect(passages.asked).toHaveLength(2);
    expect(answer.passages.map((found) => found.passage.id)).toEqual(['alpha-1', 'beta-1']);
  });

  test('keeps its order where probabilities vanish', async () => {
    const { mirag } = system([1, 0, 0]);
    const answer = await mirag.ask({ question: 'Which city?', image: IMAGE }, { passageTemperature: 1e-4 });
    expect(answer.answer).toBe('Paris');
    expect(answer.passages[0]!.passage.id).toBe('alpha-1');
  });
});

test('a question alone is searched as it stands', async () => {
  const passages = passageRetriever({ 'city?': { 'beta-1': 1 } });
  const mirag = new MiRag({ passages, generator: generator(ANSWERS) });
  const answer = await mirag.ask({ question: 'Which city?' });
  expect(passages.asked).toEqual(['Which city?']);
  expect([answer.answer, answer.entity, answer.probabilities!.entity, answer.probabilities!.passage]).toEqual(
    ['rome', null, 1, 1],
  );
});

test('a given entity is used without a look at the picture', async () => {
  const { mirag, entities, passages } = system();
  const answer = await mirag.ask({ question: 'Which city?', image: IMAGE, entity: ENTITIES[1]! });
  expect(entities.asked).toEqual([]);
  expect(passages.asked).toEqual(['Which city? Beta']);
  expect(answer.probabilities!.entity).toBe(1);
});

describe('no answer', () => {
  test.each([
    ['no entity', [] as number[], LISTS, ANSWERS],
    ['no passage', [1], {}, ANSWERS],
    ['nothing in the passages', [1], LISTS, {}],
  ])('because of %s', async (_, probabilities, lists, answers) => {
    const mirag = new MiRag({
      entities: entityRetriever(probabilities),
      passages: passageRetriever(lists),
      generator: generator(answers),
    });
    const answer = await mirag.ask({ question: 'Which city?', image: IMAGE });
    expect(answer).toMatchObject({
      answer: null,
      passage: null,
      span: null,
      joint: null,
      marginal: null,
      votes: [],
    });
    expect(answer.trace.at(-1)).toMatchObject({ step: 'selection', answer: null });
    expect(formatTrace(answer.trace)).toContain('No answer.');
  });
});

test('the trace tells every step to a program and to a person', async () => {
  const { mirag } = system();
  const { trace } = await mirag.ask({ question: 'Which city?', image: IMAGE });
  expect(trace.map(({ step }) => step)).toEqual([
    'entities',
    'expansion',
    'passages',
    'answers',
    'selection',
  ]);
  expect(trace.at(-1)).toMatchObject({
    by: 'joint',
    answer: 'Paris',
    entity: 'alpha',
    otherwise: 'the Rome',
  });
  const text = formatTrace(trace);
  for (const part of [
    '60.0 %  Alpha',
    '"Which city? Gamma"',
    'Answer by the likeliest path: Paris',
    'the Rome',
  ]) {
    expect(text).toContain(part);
  }
});

test('each stage is timed', async () => {
  const { timings } = await system().mirag.ask({ question: 'Which city?', image: IMAGE });
  const stages = ['entities', 'passages', 'answers', 'selection'];
  for (const name of [...stages, 'total']) expect(timings[name]).toBeGreaterThanOrEqual(0);
  expect(stages.reduce((sum, name) => sum + timings[name]!, 0)).toBeLessThanOrEqual(timings['total']! + 0.1);
});

test.each([
  [{ question: '  ' }, {}, 'INVALID_ARGUMENT'],
  [{ question: 'x' }, { entityCount: 0 }, 'K_OUT_OF_RANGE'],
  [{ question: 'x' }, { passageCount: 1.5 }, 'K_OUT_OF_RANGE'],
  [{ question: 'x' }, { passageTemperature: 0 }, 'TEMPERATURE_INVALID'],
  [{ question: 'x' }, { select: 'best' as 'joint' }, 'INVALID_ARGUMENT'],
  [{ question: 'x' }, { signal: AbortSignal.abort() }, 'ABORTED'],
])('%j with %j is refused', async (asked, options, code) => {
  await expect(system().mirag.ask(asked, options)).rejects.toMatchObject({ code });
});

test('a picture without an entity retriever is refused', async () => {
  const mirag = new MiRag({ passages: passageRetriever(LISTS), generator: generator(ANSWERS) });
  await expect(mirag.ask({ question: 'x', image: IMAGE })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
