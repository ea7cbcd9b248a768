import { type TObject, Type } from '@sinclair/typebox';
import { branchesOf } from './option-faults.js';
import { STAGES } from './stages.js';

/**
 * The JSON Schema of a pipeline, made of the schemas of its stages: for editors, and for checks in other languages. Which sources
 * there are, and how many lists a stage finds, it does not say; `pipeline` checks those too.
 */
export const pipelineSchema = Type.Array(
  Type.Union(
    Object.values(STAGES).flatMap(({ name, schema }) =>
      branchesOf(schema).map(
        ({ properties }): TObject =>
          Type.Object({ stage: Type.Literal(name), ...properties }, { additionalProperties: false }),
      ),
    ),
  ),
  { minItems: 1, description: 'Stages of a retrieval pipeline, in their order.' },
);
