import { GranuleError } from '../errors.js';
import type { OpenMiRagOptions } from '../systems/open-mirag.js';

/** What is searched for by, and the encoder that an adapter must be for to change anything. */
const ENCODER_OF = { texts: 'textEncoder', pictures: 'imageEncoder' } as const;

/**
 * How a knowledge base is opened with the adapter in a file; as it is without one.
 *
 * @param only - what alone is searched for by, where it is one of the two
 * @throws GranuleError as `readQueryAdapter`. Opening throws `ENCODER_MISMATCH` for an adapter that would change nothing
 */
export async function adaptedBy(
  file: string | undefined,
  only?: keyof typeof ENCODER_OF,
): Promise<OpenMiRagOptions> {
  if (file === undefined) return {};
  const { readQueryAdapter } = await import('../training/trainer/query-adapter.js');
  const adapt = await readQueryAdapter(file);
  return {
    adapt(encoders) {
      const adapted = adapt(encoders);
      if (only !== undefined && adapted[ENCODER_OF[only]] === undefined) {
        const other = only === 'texts' ? 'pictures' : 'texts';
        throw new GranuleError(
          'ENCODER_MISMATCH',
          `${file} was trained on ${other}: it changes no search by ${only}`,
          { file },
        );
      }
      return adapted;
    },
  };
}
