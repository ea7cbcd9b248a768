import type { TSchema } from '@sinclair/typebox';
import { GranuleError } from '../errors.js';
import { show } from '../index/arguments.js';
import { branchFor, firstFault, isPlainObject } from './option-faults.js';
import type { PipelineSources, Source, SourceKind } from './sources.js';
import type { StageDefinition, StagePlace } from './stage.js';
import { type PipelineStage, STAGES, type StageName } from './stages.js';
import type { RetrievalContext, RetrievalState, StageOutcome } from './state.js';

/** A stage that was checked. */
export interface ParsedStage {
  /** With its source and its defaults filled in. */
  readonly data: PipelineStage;
  run(state: RetrievalState, context: RetrievalContext): StageOutcome | Promise<StageOutcome>;
}

/** A pipeline that was checked. */
export interface ParsedPipeline {
  readonly stages: readonly ParsedStage[];
  /** What the rows of its result are. */
  readonly level: string;
}

/**
 * Checks a pipeline against its sources before anything is searched.
 *
 * @throws GranuleError `PIPELINE_INVALID` with `details.place`
 */
export function parsePipeline(stages: unknown, sources: PipelineSources): ParsedPipeline {
  if (!Array.isArray(stages)) {
    throw invalid('pipeline', `must be an array of stages, got ${show(stages)}`);
  }
  checkSources(sources);
  let levels: readonly string[] = [];
  const parsed = stages.map((stage: unknown, i) => {
    const next = parseStage(stage, `pipeline[${i}]`, levels, sources);
    levels = next.levels;
    return next;
  });
  if (levels.length !== 1) {
    const reason =
      levels.length === 0
        ? 'leaves no list; begin with a search, such as dense or sparse'
        : `leaves ${levels.length} lists at its end; fuse them`;
    throw invalid('pipeline', reason);
  }
  return { stages: parsed, level: levels[0]! };
}

function parseStage(
  stage: unknown,
  place: string,
  levels: readonly string[],
  sources: PipelineSources,
): ParsedStage & { readonly levels: readonly string[] } {
  const { name, given } = namedStage(stage, place);
  // Its own schema is what its options are checked against, so they are what its functions take.
  const definition = STAGES[name] as unknown as StageDefinition<StageName, TSchema>;
  const fault = firstFault(definition.schema, given, place);
  if (fault !== undefined) throw invalid(fault.place, fault.reason);
  // What was checked must stay as it is, whatever happens to the caller's objects.
  const options = structuredClone(withDefaults(definition.schema, given)) as never;
  const kind = typeof definition.source === 'function' ? definition.source(options) : definition.source;
  const settled: { source?: string } = options;
  if (kind !== undefined) settled.source = sourceName(kind, settled.source, sources, place);
  const stagePlace: StagePlace = {
    levels,
    sources,
    sourceLevel: kind && sources[kind]![settled.source!]!.level,
    refuse(reason, option) {
      throw invalid(
        option === undefined ? place : `${place}.${option}`,
        option === undefined ? `(${name}) ${reason}` : reason,
      );
    },
  };
  return {
    levels: definition.follow(stagePlace, options),
    data: structuredClone({ stage: name, ...settled }) as unknown as PipelineStage,
    run: (state, context) => definition.run(state, options, context),
  };
}

function namedStage(stage: unknown, place: string): { readonly name: StageName; readonly given: object } {
  if (!isPlainObject(stage)) throw invalid(place, `must be an object with a stage, got ${show(stage)}`);
  const { stage: name, ...rest } = stage as { readonly stage?: unknown };
  if (typeof name !== 'string' || !Object.hasOwn(STAGES, name)) {
    throw invalid(`${place}.stage`, `must be one of ${Object.keys(STAGES).join(', ')}, got ${show(name)}`);
  }
  // What is undefined was not given.
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { name: name as StageName, given };
}

function withDefaults(schema: TSchema, given: object): object {
  const { properties } = branchFor(schema, given)!;
  const defaults = Object.entries(properties).filter(([, { default: value }]) => value !== undefined);
  return { ...Object.fromEntries(defaults.map(([name, option]) => [name, option['default']])), ...given };
}

function sourceName(
  kind: SourceKind,
  name: string | undefined,
  sources: PipelineSources,
  place: string,
): string {
  const names = Object.keys(sources[kind] ?? {});
  const known =
    names.length === 0 ? `there are no ${kind} sources` : `the ${kind} sources are ${names.join(', ')}`;
  if (name !== undefined) {
    if (names.includes(name)) return name;
    throw invalid(`${place}.source`, `names no source: ${known}, got '${name}'`);
  }
  if (names.length === 1) return names[0]!;
  throw invalid(`${place}.source`, `is missing: ${known}`);
}

/** Rows of a source and of groups must not go by one name: they would be taken for the same. */
function checkSources(sources: PipelineSources): void {
  const groups = Object.keys(sources.groups ?? {});
  for (const kind of ['dense', 'sparse', 'multiVector', 'approximate'] as const) {
    for (const [name, { level }] of Object.entries<Source>(sources[kind] ?? {})) {
      if (!groups.includes(level)) continue;
      throw invalid(`sources.${kind}.${name}`, `has rows of level ${level}, which is the name of groups too`);
    }
  }
}

function invalid(place: string, reason: string): GranuleError {
  return new GranuleError('PIPELINE_INVALID', `${place} ${reason}`, { place });
}
