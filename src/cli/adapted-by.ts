import { GranuleError } from '../errors.js';
import type { OpenedEncoders, OpenMiRagOptions } from '../systems/open-mirag.js';

/** What is searched for by, and the encoder that an adapter must be for to change anything. */
const ENCODER_OF = { texts: 'textEncoder', pictures: 'imageEncoder' } as const;

/**
 * How a knowledge base is opened with the adapter in a file; as it is without one. One with a tower of documents is what the
 * knowledge base must have been encoded with.
 *
 * @param only - what alone is searched for by, where it is one of the two
 * @throws GranuleError as `readCorpusAdapter`. Opening throws `ENCODER_MISMATCH` for an adapter that would change nothing
 */
export async function adaptedBy(
  file: string | undefined,
  only?: keyof typeof ENCODER_OF,
): Promise<Pick<OpenMiRagOptions, 'adapt' | 'encodedBy'>> {
  if (file === undefined) return {};
  const { readCorpusAdapter } = await import('../training/trainer/corpus-adapter.js');
  const adapter = await readCorpusAdapter(file);
  const adapt = (encoders: OpenedEncoders): Partial<OpenedEncoders> => {
    const adapted = adapter.adapt(encoders);
    // Where documents are adapted, the knowledge base cannot be opened without.
    if (only !== undefined && !adapter.ofDocuments && adapted[ENCODER_OF[only]] === undefined) {
      const other = only === 'texts' ? 'pictures' : 'texts';
      throw new GranuleError(
        'ENCODER_MISMATCH',
        `${file} was trained on ${other}: it changes no search by ${only}`,
        { file },
      );
    }
    return adapted;
  };
  return adapter.ofDocuments ? { encodedBy: adapt } : { adapt };
}
