import { stageLosses } from '../../../dist/esm/evaluation/answers/index.js';
import { pipeline } from '../../../dist/esm/pipeline/index.js';

/**
 * Where the answer of a question is found first: among the `k` best passages of a pipeline, among all that it found, or in the
 * corpus. A passage counts only where it names the country.
 */
export function stageLossesOf({ sources, ids, passages }, { pipeline: stages, k }) {
  const retriever = pipeline(stages, { sources });
  const textOf = new Map(passages.map(({ text }, row) => [ids.passage[row], text]));
  return async ({ query, answers }) => {
    const found = await retriever.retrieve(query);
    const staged = {
      keywords: { coarse: [query.name], fine: [[answers[0]]] },
      retrieved: found.ids.map((id) => textOf.get(id)),
      corpus: passages.filter(({ text }) => text.includes(query.name)).map(({ text }) => text),
    };
    return { figures: stageLosses([staged], { k, keepApart: true }).cumulative };
  };
}
