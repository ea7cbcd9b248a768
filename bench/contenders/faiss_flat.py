"""IndexFlatIP of Faiss."""

import faiss
import numpy
from child import serve

PIECE = 65536


def open_contender(workload, threads, vectors):
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(vectors.shape[1])
    for row in range(0, len(vectors), PIECE):
        index.add(numpy.ascontiguousarray(vectors[row : row + PIECE]))
    k = workload["k"]
    return lambda queries: index.search(queries, k), lambda result, query: {"rows": result[1][query].tolist()}


serve(open_contender)
