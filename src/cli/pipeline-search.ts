/**
 * `granule search --pipeline`: a search by stages that a file gives.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { Corpus } from '../corpus/corpus.js';
import type { CorpusSnapshot } from '../corpus/snapshot/corpus-snapshot.js';
import { unreadableFile } from '../corpus/unreadable-file.js';
import { GranuleError } from '../errors.js';
import { corpusSources } from '../pipeline/corpus-sources.js';
import {
  type PipelineResult,
  type PipelineRetrieveOptions,
  pipeline,
  type StageTrace,
} from '../pipeline/pipeline.js';
import type { PipelineQuery } from '../pipeline/sources.js';
import type { PipelineStage } from '../pipeline/stages.js';
import { builtInEncoders } from '../systems/built-in-encoders.js';
import { jsonText } from './json-text.js';
import { timingsLine } from './shown-values.js';

/** A place of the result, with what the corpus says of it. */
interface PipelineHit {
  readonly score: number;
  /** For people. */
  readonly name: string;
  /** The passage, or the best passage of a group. */
  readonly text?: string | undefined;
  /** For programs: the record under the name of its level, and the evidence. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * The stages in a file; whether they are right the pipeline checks that is made of them.
 *
 * @throws GranuleError `FILE_NOT_FOUND`, `PIPELINE_INVALID` for what is no JSON
 */
export async function readStages(file: string): Promise<readonly PipelineStage[]> {
  const text = await readFile(file, 'utf8').catch(unreadableFile(file));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GranuleError('PIPELINE_INVALID', `${file} is no JSON: ${(error as Error).message}`, {
      place: file,
    });
  }
}

/**
 * Searches a knowledge base by a pipeline.
 *
 * @returns what to print
 * @throws GranuleError as `Corpus.open`, `pipeline` and `RetrievalPipeline.retrieve` do
 */
export async function searchByPipeline(
  kb: string,
  stages: readonly PipelineStage[],
  query: PipelineQuery,
  { json, ...options }: PipelineRetrieveOptions & { readonly json: boolean },
): Promise<string> {
  const encoders = builtInEncoders();
  const corpus = await Corpus.open(kb, encoders, { readOnly: true });
  try {
    const snapshot = await corpus.snapshot();
    const sources = corpusSources(snapshot, encoders);
    try {
      const result = await pipeline(stages, { sources }).retrieve(query, options);
      const hits = await hitsOf(result, snapshot);
      if (!json) return [...hits.map(hitText), traceLine(result.stages)].join('\n');
      const facts = hits.map((hit) => ({ ...hit.facts, score: hit.score }));
      return jsonText({ ...query, level: result.level, hits: facts, stages: result.stages });
    } finally {
      sources[Symbol.dispose]();
      await snapshot.release();
    }
  } finally {
    await corpus.close();
  }
}

async function hitsOf(
  { list, level, ids, evidence }: PipelineResult,
  snapshot: CorpusSnapshot,
): Promise<PipelineHit[]> {
  const records = await recordsOf(level, list.rows, ids ?? [], snapshot);
  const bestRows = evidence.map(({ best }) => best?.['passage']?.row);
  const passages = await snapshot.passages(bestRows.filter((row) => row !== undefined));
  let next = 0;
  return records.map(({ name, text, record }, place) => {
    const { matches, best } = evidence[place]!;
    const passage = bestRows[place] === undefined ? undefined : passages[next++];
    return {
      score: list.scores[place]!,
      name,
      text: text ?? passage?.text,
      facts: {
        [level]: record,
        ...(passage && { passage }),
        ...(best?.['image'] && { image: best['image'].id }),
        ...(matches && { matches: matchFacts(matches) }),
      },
    };
  });
}

interface ShownRecord {
  readonly name: string;
  readonly text?: string;
  readonly record: unknown;
}

async function recordsOf(
  level: string,
  rows: Uint32Array,
  ids: readonly (string | undefined)[],
  snapshot: CorpusSnapshot,
): Promise<ShownRecord[]> {
  switch (level) {
    case 'passage':
      return (await snapshot.passages([...rows])).map((record) => ({
        name: record.id,
        text: record.text,
        record,
      }));
    case 'image': {
      const entities = await snapshot.entitiesOfImages([...rows]);
      return entities.map((entity, place) => ({
        name: `${ids[place]}, of ${entity.title}`,
        record: { id: ids[place], entity },
      }));
    }
    case 'document': {
      const heads = await snapshot.documentHeads(ids as readonly string[]);
      return heads.map((record) => ({
        name: record.title === undefined ? record.id : `${record.title} (${record.id})`,
        record,
      }));
    }
    default: {
      const entities = await Promise.all(ids.map((id) => snapshot.entity(id!)));
      return entities.map((record) => ({ name: `${record!.title} (${record!.id})`, record }));
    }
  }
}

function matchFacts(matches: NonNullable<PipelineResult['evidence'][number]['matches']>): object {
  return Object.fromEntries(
    Object.entries(matches).map(([source, { vectors, similarities }]) => [
      source,
      { vectors: [...vectors], similarities },
    ]),
  );
}

function hitText({ score, name, text }: PipelineHit, place: number): string {
  const line = `${String(place + 1).padStart(3)}. ${score.toFixed(4)}  ${name}`;
  return text === undefined ? line : `${line}\n     ${text}`;
}

/** Stages by their places, for one may come twice. */
function traceLine(stages: readonly StageTrace[]): string {
  return timingsLine(
    Object.fromEntries(
      stages.map(({ stage, milliseconds }, place) => [`${place + 1} ${stage}`, milliseconds]),
    ),
  );
}
