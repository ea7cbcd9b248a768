import type { Entity } from '../../corpus/records.js';
import { DescriptorImageEncoder } from '../../encoders/descriptor/descriptor-image-encoder.js';
import type { TextEncoder } from '../../encoders/encoder.js';
import { ExtractiveReader } from '../../generators/extractive/extractive-reader.js';
import { MiRag } from '../../systems/mirag.js';
import { type OpenedMiRag, openMiRag } from '../../systems/open-mirag.js';
import { TrainedReader } from '../../training/reader/trained-reader.js';
import { adaptedTextEncoder } from '../../training/trainer/adapted-text-encoder.js';
import { FLAG_WINDOW_WIDTHS } from '../pictures/flag-windows.js';
import { countryEntities } from './country-entities.js';
import { COUNTRY_STAGES, towersAfter } from './country-towers.js';
import type { TrainedCountries } from './country-towers-file.js';
import { TitleEntityRetriever } from './title-entity-retriever.js';

/**
 * Opens the knowledge base of the countries and composes MiRAG over it with all that was learned: entities are looked for where the
 * question says, passages by the trained queries, answers by the trained reader.
 *
 * @throws GranuleError as `openMiRag`; `ENCODER_MISMATCH` where the towers were trained on other text vectors
 */
export async function openTrainedMiRag(
  folder: string,
  { stages, textEncoder: encoder }: TrainedCountries,
): Promise<OpenedMiRag> {
  const towers = towersAfter(stages, COUNTRY_STAGES.length);
  const { query, reader } = towers;
  const imageEncoder = new DescriptorImageEncoder({ widths: FLAG_WINDOW_WIDTHS });
  let frozen: TextEncoder | undefined;
  const opened = await openMiRag(folder, {
    adapt: ({ textEncoder }) => {
      frozen = textEncoder;
      return {
        imageEncoder,
        ...(query && { textEncoder: adaptedTextEncoder(textEncoder, { query, temperature: 1, encoder }) }),
      };
    },
  });
  try {
    const { entities: images, passages, snapshot } = opened;
    const all: Entity[] = [];
    for await (const entity of snapshot.entities()) all.push(entity);
    const parts = { entities: all, imageEncoder, images };
    const titles = await TitleEntityRetriever.build({ ...parts, textEncoder: frozen!, towers });
    const entities = countryEntities(towers, { ...parts, titles });
    const generator = reader
      ? new TrainedReader({ shape: reader.shape, values: reader.values })
      : new ExtractiveReader();
    return { ...opened, mirag: new MiRag({ entities, passages, generator }) };
  } catch (error) {
    await opened.dispose();
    throw error;
  }
}
