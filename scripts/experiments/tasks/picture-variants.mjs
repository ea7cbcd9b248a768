/** The images of the pictures task in other forms, each a source of its own: fewer patches, corrected scores. */
import { queryBankBiases, similarityTile, TOKEN_POOLINGS } from '../../../dist/esm/granularity/index.js';
import { certifiedPooledSearch } from '../../../dist/esm/index/certified-pooled-search.js';
import { FlatIndex } from '../../../dist/esm/index/flat-index.js';
import { MultiVectorIndex } from '../../../dist/esm/index/multi-vector-index.js';
import { poolQuads } from '../../../dist/esm/index/pool-quads.js';
import { poolVectors } from '../../../dist/esm/index/pool-vectors.js';
import { PooledBounds } from '../../../dist/esm/index/pooled-bounds.js';
import { imageSources } from '../../../dist/esm/pipeline/index.js';
import { rankedLists } from '../../../dist/esm/ranking/ranked-list.js';
import { MemoryImageStore } from '../../../dist/esm/retrievers/memory-image-store.js';

/** A quarter of the 64 patches is kept by every pooling. */
const FACTOR = 4;
const GRID = { rows: 8, columns: 8 };

/** Ways to a quarter of the patches, by the name of the source. */
const POOLINGS = {
  ward: (patches, lengths, options) =>
    poolVectors(patches, lengths, { ...options, method: 'ward', factor: FACTOR }),
  kmeans: (patches, lengths, options) =>
    poolVectors(patches, lengths, { ...options, method: 'kmeans', factor: FACTOR }),
  'token-merging': (patches, lengths, options) =>
    TOKEN_POOLINGS['token-merging'](patches, lengths, { ...options, factor: FACTOR }),
  grid: (patches, lengths, options) => TOKEN_POOLINGS.grid(patches, lengths, { ...options, grid: GRID }),
  'k-spacing': (patches, lengths, options) =>
    TOKEN_POOLINGS['k-spacing'](patches, lengths, { ...options, spacing: FACTOR }),
  'tail-pruning': (patches, lengths, options) =>
    TOKEN_POOLINGS['tail-pruning'](patches, lengths, { ...options, factor: FACTOR }),
};

/**
 * @param bank - one matrix of a row per picture that is not measured
 */
export async function pictureVariants({ entities, images, encoder, bank }) {
  const { data, lengths, columns } = images.patches;
  const multiVector = {};
  const pooled = {};
  for (const [name, pool] of Object.entries(POOLINGS)) {
    pooled[name] = await pool(data, lengths, { dimension: columns });
    multiVector[name] = await pooledSource({ entities, images, encoder, pooled: pooled[name] });
  }
  multiVector['ward, certified'] = await certifiedSource(images.patches, pooled.ward, multiVector.ward);
  return { dense: { corrected: await correctedSource(images.vectors, encoder, bank) }, multiVector };
}

async function pooledSource({ entities, images, encoder, pooled: { vectors, lengths, members } }) {
  const store = await MemoryImageStore.build({
    entities,
    vectors: images.vectors,
    patches: { data: vectors.data, lengths, columns: vectors.columns },
    patchQuads: poolQuads(images.patchQuads, members),
  });
  return imageSources(store, { encoder }).multiVector.patches;
}

/** All patches, found through bounds that pooled ones give. It does not say what matched. */
async function certifiedSource({ data, lengths, columns }, pooled, source) {
  const documents = new MultiVectorIndex({ dimension: columns });
  await documents.add(data, lengths);
  const bounds = await PooledBounds.create(pooled);
  return {
    ...source,
    async search(query, { k, signal }) {
      const hits = await certifiedPooledSearch(documents, bounds, query, {
        k: Math.min(k, documents.rows),
        signal,
      });
      return { ...rankedLists(hits)[0], matches: [] };
    },
  };
}

/** Images with a bias against hubs, from pictures that are not measured. */
async function correctedSource(vectors, encoder, bank) {
  const { columns } = vectors;
  const logged = { data: Float32Array.from(bank.flatMap((one) => [...one.data])), rows: bank.length, columns };
  const index = new FlatIndex({ dimension: columns });
  await index.add(vectors, { biases: queryBankBiases(similarityTile(logged, vectors)) });
  return {
    level: 'image',
    encode: async ({ image }) => (await encoder.encodeQuery(image)).views.data,
    async search(vector, { k, signal }) {
      const query = { data: vector, rows: 1, columns };
      return rankedLists(await index.search(query, { k: Math.min(k, index.rows), signal }))[0];
    },
    vectorsOf: (rows, options) => index.read(rows, options),
  };
}
