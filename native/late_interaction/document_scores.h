#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "core/thread_pool.h"
#include "kernels/kernel_table.h"
#include "late_interaction/tile_scores.h"

namespace granule {

/// A query's vectors, candidates of a search, and how they are scored. The caller has made sure that the
/// lengths add up and that the matrices of bi_isa fit every document that has vectors.
struct DocumentScoring {
  /// query_vectors x dimension, at least one
  const float* query;
  std::size_t query_vectors;
  std::size_t dimension;
  /// Document after document.
  const float* documents;
  /// Vectors per document; 0 is allowed.
  const uint32_t* lengths;
  std::size_t document_count;
  MultiVectorScoring scoring;
  unsigned threads;
};

/// Where results go.
struct DocumentScores {
  /// One per document; -infinity for a document without vectors.
  double* scores;
  /// document_count x query_vectors: the document's vector that is most similar, the first of equal ones;
  /// kNoRow and -infinity for a document without vectors.
  uint32_t* vectors;
  float* similarities;
};

/// Scores each document by the tile of its similarities, which is computed once; documents side by side, each
/// by one thread. Memory: query_vectors x the longest length, 4 bytes each, for each thread. Results are the
/// same bits for every number of threads and every machine.
///
/// @return not_finite with query vector and vector within the document where a similarity is not finite, of
/// the first such document; not_finite with row and column of a matrix of bi_isa; aborted
/// @throws std::bad_alloc
Status score_documents(ThreadPool& pool, const KernelTable& kernels, const DocumentScoring& job,
                       const CancelFlag& cancel, const DocumentScores& out);

}  // namespace granule
