import { invalidLine, readTextLines } from '../../../evaluation/files/text-lines.js';
import { writeText } from '../../../evaluation/files/write-text.js';
import type { RolloutGroup } from './rollout.js';
import { rolloutGroupFault } from './rollout-schema.js';

/**
 * Writes rollouts as JSONL, one group (all rollouts of one question) per line; compressed by gzip where the name ends in `.gz`. The
 * file takes its place when it is whole. docs/reinforcement.md describes the fields.
 *
 * @throws GranuleError `FILE_NOT_WRITABLE`, and whatever `groups` throws; what was there before is then still there
 */
export async function writeRollouts(file: string, groups: Iterable<RolloutGroup>): Promise<void> {
  await writeText(file, linesOf(groups));
}

function* linesOf(groups: Iterable<RolloutGroup>): Generator<string> {
  for (const group of groups) yield `${JSON.stringify(group)}\n`;
}

/**
 * Reads rollouts back, group by group, as they were written; compressed or not. Every number reads back as the same bits, but for the
 * sign of a zero.
 *
 * @throws GranuleError `FILE_NOT_FOUND`; `EVALUATION_FILE_INVALID` with file and line where a line is no group of rollouts, also for a
 *   field that is not described
 */
export async function* readRollouts(file: string): AsyncGenerator<RolloutGroup> {
  for await (const { first, lines } of readTextLines(file)) {
    for (const [i, line] of lines.entries()) {
      const group = parsed(line);
      const fault = group === undefined ? 'the line is not JSON' : rolloutGroupFault(group);
      if (fault !== undefined) throw invalidLine(file, first + i, fault);
      yield group as RolloutGroup;
    }
  }
}

/** Undefined where the line is no JSON, which knows no such value. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
