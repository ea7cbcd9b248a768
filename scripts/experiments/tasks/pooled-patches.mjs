/** The patches of the pictures task's images, pooled in several ways, each a source of its own. */
import { TOKEN_POOLINGS } from '../../../dist/esm/granularity/index.js';
import { certifiedPooledSearch } from '../../../dist/esm/index/certified-pooled-search.js';
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

/** `multiVector`: each way of pooling by its name, and `ward, certified`: all patches, found through bounds that pooled ones give. */
export async function pooledPatches({ entities, images, encoder }) {
  const { data, lengths, columns } = images.patches;
  const multiVector = {};
  const pooled = {};
  for (const [name, pool] of Object.entries(POOLINGS)) {
    pooled[name] = await pool(data, lengths, { dimension: columns });
    multiVector[name] = await pooledSource({ entities, images, encoder, pooled: pooled[name] });
  }
  multiVector['ward, certified'] = await certifiedSource(images.patches, pooled.ward, multiVector.ward);
  return { multiVector };
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
