"""IndexFlatIP of Faiss."""

import faiss
import numpy
from child import serve

PIECE = 65536


def open_contender(workloads, threads, vectors, _queries):
    faiss.omp_set_num_threads(threads)
    # By default it leaves OpenBLAS aside below 20 queries, which is slower here.
    faiss.cvar.distance_compute_blas_threshold = 1
    index = faiss.IndexFlatIP(vectors.shape[1])
    for row in range(0, len(vectors), PIECE):
        index.add(numpy.ascontiguousarray(vectors[row : row + PIECE]))

    def prepare(workload):
        k = workload["k"]
        return lambda queries: index.search(queries, k), lambda result, query: {"rows": result[1][query].tolist()}

    return prepare


serve(open_contender)
