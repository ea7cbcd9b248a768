import { clipsTask } from './tasks/clips-task.mjs';
import { cluesTask } from './tasks/clues-task.mjs';
import { composedTask } from './tasks/composed-task.mjs';
import { conditionsTask } from './tasks/conditions-task.mjs';
import { cranfieldByExampleTask, cranfieldIsMissing, cranfieldTask } from './tasks/cranfield-task.mjs';
import { explanationsTask } from './tasks/explanations-task.mjs';
import { mixedTask } from './tasks/mixed-task.mjs';
import { picturesTask } from './tasks/pictures-task.mjs';
import { questionsTask } from './tasks/questions-task.mjs';
import { routingTask } from './tasks/routing-task.mjs';
import { severalQuestionsTask } from './tasks/several-questions-task.mjs';

/**
 * What experiments are run on, by the name of the folder that holds their files. `build` gives
 *
 * - `sources`, for pipelines, and `ids`, by level the id of each row
 * - `queries`, each `{ id, query, filter }`, and `qrels`, by level the judgements
 * - `validation`, `{ queries, qrels }` to fit options on; where there is none, nothing can be fitted
 * - `measures`, by trec_eval's names
 *
 * `missing` says why a task cannot be built here, if it cannot.
 */
export const TASKS = {
  questions: { title: 'Questions about countries', build: questionsTask },
  losses: { title: 'Where answers are lost', build: questionsTask },
  clues: { title: 'Countries from clues', build: cluesTask },
  conditions: { title: 'Countries that meet conditions', build: conditionsTask },
  'several-questions': { title: 'Several questions at once', build: severalQuestionsTask },
  routing: { title: 'Where to look', build: routingTask },
  explanations: { title: 'Why a passage matches', build: explanationsTask },
  pictures: { title: 'Pictures of flags', build: picturesTask },
  clips: { title: 'Clips of flags', build: clipsTask },
  composed: { title: 'A picture and a question', build: composedTask },
  mixed: { title: 'Passages and images in one pool', build: mixedTask },
  cranfield: { title: 'Cranfield', build: cranfieldTask, missing: cranfieldIsMissing },
  'cranfield-by-example': {
    title: 'Cranfield by example',
    build: cranfieldByExampleTask,
    missing: cranfieldIsMissing,
  },
};
