import { type Command, Option } from 'commander';
import type { MetadataFilter } from '../corpus/filter/metadata-filter.js';
import { parseFilterText } from '../corpus/filter/parse-filter.js';
import type { Hit, Timings } from '../retrievers/retriever.js';
import { type CorpusHits, type SearchLevel, searchCorpus } from '../systems/search-corpus.js';
import { adaptedBy } from './adapted-by.js';
import type { CommandContext } from './command-context.js';
import { jsonText } from './json-text.js';
import { wholeNumber } from './option-values.js';
import { percent, timingsLine } from './shown-values.js';

interface SearchOptions {
  readonly image?: string;
  readonly level?: SearchLevel;
  readonly k: number;
  readonly filter?: string;
  readonly pipeline?: string;
  readonly adapter?: string;
  readonly json?: true;
}

const LEVELS: readonly SearchLevel[] = ['passage', 'document', 'entity', 'image'];

/** `granule search`: passages, documents or entities for a text, entities or images for a picture. */
export function addSearchCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('search')
    .description('search a knowledge base: by a text, or by a picture')
    .argument('<kb>', 'folder that granule ingest made')
    .argument('[text]', 'what the passages should be about')
    .option('--image <file>', 'a picture: search for entities that it shows')
    .addOption(
      new Option(
        '--level <level>',
        'what to search for: passages (the default for a text), documents, entities (the default for a picture) or images',
      ).choices(LEVELS),
    )
    .option('--k <n>', 'how many hits', wholeNumber(1), 10)
    .option('--filter <json>', 'only what has such metadata: {"continent": "Europe"}')
    .option('--pipeline <file>', 'search by the stages in this JSON file, for a text, a picture or both')
    .option('--adapter <file>', 'what granule train has taught')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
A text finds passages, and documents and entities by their best passage. A picture finds
entities by their best image, and images. The last stage of a pipeline decides what it finds.

Examples:
  $ granule search my-kb "countries by the sea"
  $ granule search my-kb "countries by the sea" --level entity
  $ granule search my-kb "countries by the sea" --filter '{"continent": "Europe"}'
  $ granule search my-kb --image picture.jpg --k 3
  $ granule search my-kb "countries by the sea" --pipeline hybrid.json`,
    );
  command.action(async (kb: string, text: string | undefined, options: SearchOptions) => {
    const asked = text?.trim() ?? '';
    const { image, level, k } = options;
    if (asked === '' && image === undefined) {
      command.error('error: search needs a text or --image', { exitCode: 2 });
    }
    if (options.pipeline === undefined && asked !== '' && image !== undefined) {
      command.error('error: search takes both a text and --image with --pipeline only', { exitCode: 2 });
    }
    if (options.pipeline !== undefined && level !== undefined) {
      command.error('error: the stages of a pipeline decide the level; leave --level out', { exitCode: 2 });
    }
    if (options.pipeline !== undefined && options.adapter !== undefined) {
      command.error('error: --adapter does not go with --pipeline', { exitCode: 2 });
    }
    const filter = options.filter === undefined ? undefined : filterOf(options.filter);
    if (options.pipeline !== undefined) {
      const { readStages, searchByPipeline } = await import('./pipeline-search.js');
      const stages = await readStages(options.pipeline);
      const query = { ...(asked !== '' && { text: asked }), ...(image !== undefined && { image }) };
      const json = options.json === true;
      context.print(await searchByPipeline(kb, stages, query, { k, filter, signal: context.signal, json }));
      return;
    }
    const { openMiRag } = await import('../systems/open-mirag.js');
    const opened = await openMiRag(
      kb,
      await adaptedBy(options.adapter, image === undefined ? 'texts' : 'pictures'),
    );
    try {
      const { signal } = context;
      const timings: Timings = {};
      const query = image === undefined ? { text: asked } : { image };
      const found = await searchCorpus(opened, { ...query, level }, { k, signal, filter }, timings);
      context.print(
        options.json
          ? jsonText({ ...query, level: found.level, hits: hitFacts(found), timings })
          : [...hitTexts(found), timingsLine(timings)].join('\n'),
      );
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

/** What a program wants to know about hits. */
function hitFacts({ level, hits }: CorpusHits): object[] {
  if (level !== 'image') return hits.map(({ item, ...rest }) => ({ [level]: item, ...rest }));
  return hits.map(({ item, ...rest }) => ({ image: item.id, entity: item.entity, ...rest }));
}

/** A line for each hit, with its passage below where it has one. */
function hitTexts({ level, hits }: CorpusHits): string[] {
  switch (level) {
    case 'passage':
      return hits.map((hit, place) => `${hitLine(hit, place, hit.item.id)}\n     ${hit.item.text}`);
    case 'document':
      return hits.map((hit, place) => {
        const { id, title } = hit.item;
        return `${hitLine(hit, place, title === undefined ? id : `${title} (${id})`)}\n     ${hit.passage.text}`;
      });
    case 'entity':
      return hits.map((hit, place) => {
        const { item, passage } = hit;
        const line = hitLine(hit, place, `${item.title} (${item.id})`);
        return passage === undefined ? line : `${line}\n     ${passage.text}`;
      });
    case 'image':
      return hits.map((hit, place) => hitLine(hit, place, `${hit.item.id}, of ${hit.item.entity.title}`));
  }
}

function hitLine({ score, probability }: Hit<unknown>, place: number, name: string): string {
  return `${String(place + 1).padStart(3)}. ${percent(probability)}  ${score.toFixed(4)}  ${name}`;
}
