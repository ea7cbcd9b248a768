import { type Static, Type } from '@sinclair/typebox';
import {
  type AggregationMethod,
  aggregateByGroup,
  GROUP_SCORES,
  type GroupedList,
} from '../../granularity/aggregate-by-group.js';
import type { RankedList } from '../../ranking/ranked-list.js';
import { count, oneOf, optionsOf, withDefault } from '../option-schemas.js';
import { defineStage } from '../stage.js';
import { type Evidence, type EvidenceByLevel, type StageList, withEvidence } from '../state.js';

const METHODS = Object.keys(GROUP_SCORES) as AggregationMethod[];

const schema = optionsOf({
  by: Type.String({ description: "The groups' level: one of the sources' groups." }),
  method: withDefault(oneOf(METHODS, "How the scores of a group's rows become its own."), 'max'),
  m: withDefault(count('For the method sum: so many of the best rows of each group are added.'), 3),
});

/** Options of {@link aggregate}. */
export type AggregateOptions = Static<typeof schema>;

/**
 * From passages to documents or entities: every list on the stack whose rows the groups are formed of becomes one of groups, with the
 * best row of each as evidence; lists of those groups stay. Only rows in the list count, so have enough of them found before.
 *
 * A group's row is its number in the order in which groups appear in the lists; equal scores put the lower one first. Rows without
 * a group are left out.
 *
 * Sources: Dai and Callan, "Deeper Text Understanding for IR with Contextual Neural Language Modeling" (2019), for the methods' names.
 *
 * @param options - `by`, the level; `method`, one of `GROUP_SCORES`, `max` by default; `m`, for `sum`, 3 by default
 */
export function aggregate(options: AggregateOptions) {
  return { stage: 'aggregate', ...options } as const;
}

export const aggregateStage = defineStage({
  name: 'aggregate',
  schema,
  follow: ({ levels, sources, refuse }, { by }) => {
    const groups = sources.groups ?? {};
    if (!Object.hasOwn(groups, by)) {
      const known = Object.keys(groups).join(', ');
      refuse(
        `must be a level of groups, ${known === '' ? 'and there are none' : `one of ${known}`}, got '${by}'`,
        'by',
      );
    }
    const formed = Object.keys(groups[by]!);
    if (levels.length === 0) refuse('needs a list to work on; begin with a search, such as dense or sparse');
    const stray = levels.find((level) => level !== by && !formed.includes(level));
    if (stray !== undefined) {
      refuse(`forms groups of level ${by} of rows of level ${formed.join(', ')}, not of ${stray}`);
    }
    return levels.map(() => by);
  },
  run: async (state, { by, method, m }, { sources, signal }) => {
    const ids = [...(state.groups.get(by) ?? [])];
    const numbers = new Map(ids.map((id, number) => [id, number]));
    const numberOf = (id: string): number => {
      const known = numbers.get(id);
      if (known !== undefined) return known;
      numbers.set(id, ids.length);
      return ids.push(id) - 1;
    };
    let { evidence } = state;
    const lists: StageList[] = [];
    for (const entry of state.lists) {
      if (entry.level === by) {
        lists.push(entry);
        continue;
      }
      const { rows } = entry.list;
      const found = await sources.groups![by]![entry.level]!(rows, { signal });
      const groups = new Map(
        Array.from(rows, (row, place) => [
          row,
          found[place] === undefined ? undefined : numberOf(found[place]),
        ]),
      );
      const grouped = aggregateByGroup(entry.list, (row) => groups.get(row), { method, most: m });
      const list: RankedList = { rows: grouped.rows, scores: grouped.scores };
      lists.push({ ...entry, list, level: by });
      evidence = withEvidence(evidence, by, evidenceOfGroups(grouped, entry.level, by, evidence));
    }
    return { ...state, lists, evidence, groups: new Map(state.groups).set(by, ids) };
  },
});

/** What speaks for groups that no earlier list gave a best row of that level. */
function evidenceOfGroups(
  { rows, evidence: best }: GroupedList,
  level: string,
  by: string,
  evidence: EvidenceByLevel,
): (readonly [number, Evidence])[] {
  return Array.from(rows, (group, place) => [group, best[place]!] as const)
    .filter(([group]) => evidence.get(by)?.get(group)?.best?.[level] === undefined)
    .map(([group, row]) => {
      const matches = evidence.get(level)?.get(row)?.matches;
      return [group, { best: { [level]: { row } }, ...(matches && { matches }) }];
    });
}
