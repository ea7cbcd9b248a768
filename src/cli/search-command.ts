import type { Command } from 'commander';
import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import { parseFilterText } from '../corpus/filter/parse-filter.js';
import type { EntityHit, PassageHit, Timings } from '../retrievers/retriever.js';
import { openMiRag } from '../systems/open-mirag.js';
import type { CommandContext } from './command-context.js';
import { jsonText } from './json-text.js';
import { wholeNumber } from './option-values.js';
import { percent, timingsLine } from './shown-values.js';

interface SearchOptions {
  readonly image?: string;
  readonly k: number;
  readonly filter?: string;
  readonly json?: true;
}

/** `granule search`: passages for a text, or entities for a picture. */
export function addSearchCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('search')
    .description('search a knowledge base: passages by a text, or entities by a picture')
    .argument('<kb>', 'folder that granule ingest made')
    .argument('[text]', 'what the passages should be about')
    .option('--image <file>', 'a picture: search for entities that it shows')
    .option('--k <n>', 'how many hits', wholeNumber(1), 10)
    .option('--filter <json>', 'only what has such metadata: {"continent": "Europe"}')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  $ granule search my-kb "countries by the sea"
  $ granule search my-kb "countries by the sea" --filter '{"continent": "Europe"}'
  $ granule search my-kb --image picture.jpg --k 3`,
    );
  command.action(async (kb: string, text: string | undefined, options: SearchOptions) => {
    const asked = text?.trim() ?? '';
    if ((asked === '') === (options.image === undefined)) {
      command.error('error: search needs either a text or --image', { exitCode: 2 });
    }
    const filter = options.filter === undefined ? undefined : filterOf(options.filter);
    const opened = await openMiRag(kb);
    try {
      const { signal } = context;
      const retrieve = { k: options.k, signal, ...(filter && { filter }) };
      const timings: Timings = {};
      if (options.image !== undefined) {
        const hits = await opened.entities.retrieve(options.image, retrieve, timings);
        context.print(
          options.json
            ? jsonText({
                image: options.image,
                hits: hits.map(({ item, ...rest }) => ({ entity: item, ...rest })),
                timings,
              })
            : [...hits.map(entityLine), timingsLine(timings)].join('\n'),
        );
      } else {
        const [hits = []] = await opened.passages.retrieve([asked], retrieve, timings);
        context.print(
          options.json
            ? jsonText({
                text: asked,
                hits: hits.map(({ item, ...rest }) => ({ passage: item, ...rest })),
                timings,
              })
            : [...hits.map(passageLines), timingsLine(timings)].join('\n'),
        );
      }
    } finally {
      await opened.dispose();
    }
  });
}

/** @throws GranuleError `METADATA_FILTER_INVALID` */
function filterOf(text: string): MetadataFilter {
  parseFilterText(text);
  return JSON.parse(text) as MetadataFilter;
}

function entityLine({ item, score, probability }: EntityHit, place: number): string {
  return `${String(place + 1).padStart(3)}. ${percent(probability)}  ${score.toFixed(4)}  ${item.title} (${item.id})`;
}

function passageLines({ item, score, probability }: PassageHit, place: number): string {
  return `${String(place + 1).padStart(3)}. ${percent(probability)}  ${score.toFixed(4)}  ${item.id}\n     ${item.text}`;
}
