import type { TSchema } from '@sinclair/typebox';
import type { Settled } from './option-schemas.js';
import type { PipelineSources, SourceKind } from './sources.js';
import type { RetrievalContext, RetrievalState, StageOutcome } from './state.js';

/** Where a stage stands in a pipeline that is being made. */
export interface StagePlace {
  /** What the rows of each list before the stage are, the newest list last. */
  readonly levels: readonly string[];
  readonly sources: PipelineSources;
  /** What the rows of the stage's own source are; undefined where it has none. */
  readonly sourceLevel: string | undefined;
  /**
   * Refuses the pipeline.
   *
   * @param reason - what follows the name of the place: `must be ...`, `needs ...`
   * @param option - the option at fault; the stage as a whole without it
   * @throws GranuleError `PIPELINE_INVALID`
   */
  refuse(reason: string, option?: string): never;
}

/** A kind of stage: what it is given as data, and what it does. */
export interface StageDefinition<Name extends string, Schema extends TSchema> {
  /** Its name in a pipeline. */
  readonly name: Name;
  /** Its options: an object, or several that one option tells apart. */
  readonly schema: Schema;
  /** The kind of the source that its option `source` names. */
  readonly source?: SourceKind | ((options: Settled<Schema>) => SourceKind | undefined);
  /** What the rows of the lists are after it. Refuses what it could not work on. */
  follow(place: StagePlace, options: Settled<Schema>): readonly string[];
  /** @throws whatever sources and methods throw */
  run(
    state: RetrievalState,
    options: Settled<Schema>,
    context: RetrievalContext,
  ): StageOutcome | Promise<StageOutcome>;
}

/** Makes sure that a definition is complete, and keeps its types. */
export function defineStage<const Name extends string, Schema extends TSchema>(
  definition: StageDefinition<Name, Schema>,
): StageDefinition<Name, Schema> {
  return definition;
}

/** Refuses a stage that works on one list where there is another number of them; gives that list's level. */
export function levelOfOnlyList({ levels, refuse }: StagePlace): string {
  if (levels.length === 1) return levels[0]!;
  if (levels.length === 0) refuse('needs a list to work on; begin with a search, such as dense or sparse');
  return refuse(`works on one list, and there are ${levels.length}; fuse them first`);
}

/** Refuses a stage that looks up the rows of its one list in its source where they are something else there. */
export function requireRowsOfSource(place: StagePlace): readonly string[] {
  const level = levelOfOnlyList(place);
  const { sourceLevel, refuse } = place;
  if (level !== sourceLevel) {
    refuse(`works on rows of level ${sourceLevel}, and those of the list are of level ${level}`);
  }
  return [level];
}
