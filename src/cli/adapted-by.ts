import type { OpenMiRagOptions } from '../systems/open-mirag.js';

/**
 * How a knowledge base is opened with the adapter in a file; as it is without one.
 *
 * @throws GranuleError as `readQueryAdapter`
 */
export async function adaptedBy(file: string | undefined): Promise<OpenMiRagOptions> {
  if (file === undefined) return {};
  const { readQueryAdapter } = await import('../training/trainer/query-adapter.js');
  return { adapt: await readQueryAdapter(file) };
}
