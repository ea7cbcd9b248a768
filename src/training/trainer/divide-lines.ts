import { GranuleError } from '../../errors.js';
import { SeededRandom } from '../../ranking/seeded-random.js';
import { shuffled } from '../../ranking/shuffled.js';
import { invalidLine, type TrainingLine } from './training-lines.js';

/** Examples to train on, and examples to measure by. */
export interface DividedLines {
  readonly train: readonly TrainingLine[];
  readonly dev: readonly TrainingLine[];
}

/**
 * Divides examples so that what is measured was not trained on: lines with the same group or a common positive stay together, also through
 * others. Such clusters are drawn at random until `dev` has its share.
 *
 * @param share - of the lines that go to `dev`, above 0 and below 1
 * @throws GranuleError `TRAINING_DATA_INVALID` where all lines are one cluster
 */
export function divideLines(
  lines: readonly TrainingLine[],
  share: number,
  seed: number | string,
): DividedLines {
  const clusters = shuffled(clustersOf(lines), new SeededRandom(`${seed}/division`));
  const chosen = new Set<TrainingLine>();
  // The last cluster is always trained on.
  for (const cluster of clusters.slice(0, -1)) {
    if (chosen.size >= share * lines.length) break;
    for (const line of cluster) chosen.add(line);
  }
  if (chosen.size === 0) {
    throw new GranuleError(
      'TRAINING_DATA_INVALID',
      lines.length === 1
        ? 'one example cannot be divided'
        : `the ${lines.length} examples cannot be divided: all of them belong together by groups or positives`,
    );
  }
  return { train: lines.filter((line) => !chosen.has(line)), dev: lines.filter((line) => chosen.has(line)) };
}

/**
 * @throws GranuleError `TRAINING_DATA_INVALID` for the first line of `dev` whose group or positive is that of a line that is trained on
 */
export function refuseLeaks({ train, dev }: DividedLines): void {
  const places = new Map<string, string>();
  for (const line of train) for (const key of keysOf(line)) places.set(key, line.place);
  for (const line of dev) {
    const leaked = keysOf(line).find((key) => places.has(key));
    if (leaked === undefined) continue;
    const [kind, id] = JSON.parse(leaked) as [string, string];
    throw invalidLine(
      line.file,
      line.line,
      `its ${kind} "${id}" is trained on, in ${places.get(leaked)}; what is measured must not be`,
    );
  }
}

function clustersOf(lines: readonly TrainingLine[]): TrainingLine[][] {
  const parents = lines.map((_, i) => i);
  const rootOf = (i: number): number => {
    let root = i;
    while (parents[root] !== root) root = parents[root]!;
    parents[i] = root;
    return root;
  };
  const first = new Map<string, number>();
  for (const [i, line] of lines.entries()) {
    for (const key of keysOf(line)) {
      const other = first.get(key);
      if (other === undefined) first.set(key, i);
      else parents[rootOf(i)] = rootOf(other);
    }
  }
  const clusters = new Map<number, TrainingLine[]>();
  for (const [i, line] of lines.entries()) {
    const root = rootOf(i);
    const cluster = clusters.get(root);
    if (cluster === undefined) clusters.set(root, [line]);
    else cluster.push(line);
  }
  return [...clusters.values()];
}

/** What a line has in common with others it belongs to. */
function keysOf({ group, positives }: TrainingLine): string[] {
  const keys = positives.map((id) => JSON.stringify(['positive', id]));
  return group === undefined ? keys : [JSON.stringify(['group', group]), ...keys];
}
