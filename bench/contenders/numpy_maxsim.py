"""MaxSim by blocks of documents: one matrix product per block, then the greatest per document."""

import numpy
from child import serve

# The products of a block stay in the caches.
BLOCK_PATCHES = 16384


def open_contender(workload, threads, vectors):
    patches, k = workload["patches"], workload["k"]
    documents = workload["documents"]
    vectors = numpy.array(vectors)
    block = max(1, BLOCK_PATCHES // patches)

    def search(queries):
        scores = numpy.empty(documents, dtype=numpy.float32)
        for first in range(0, documents, block):
            count = min(block, documents - first)
            part = vectors[first * patches : (first + count) * patches]
            products = (part @ queries.T).reshape(count, patches, len(queries))
            scores[first : first + count] = products.max(axis=1).sum(axis=1)
        best = numpy.argpartition(-scores, k - 1)[:k]
        return best[numpy.argsort(-scores[best], kind="stable")]

    return search, lambda result, query: {"rows": result.tolist()}


serve(open_contender)
