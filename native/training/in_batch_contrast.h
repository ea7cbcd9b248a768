#pragma once

#include <cstddef>
#include <cstdint>

#include "core/status.h"
#include "training/matrix_product.h"

namespace granule {

enum class ContrastDirection : uint32_t { query_to_document, document_to_query, both };

/// A batch: queries, each with one document that is its positive, and documents that are nobody's positive.
struct ContrastBatch {
  /// query_count x dimension
  const float* queries;
  std::size_t query_count;
  /// document_count x dimension
  const float* documents;
  std::size_t document_count;
  std::size_t dimension;
  /// Above 0, at most kMostContrastTemperature.
  double temperature;
  ContrastDirection direction;
  /// One per query, p_i below: its document; null: document i, and there are as many documents or more.
  const uint32_t* positives;
  /// One per document, which is no negative of the queries whose positive is of its group; null: each is its
  /// own.
  const uint32_t* groups;
  /// One per query, at least 0, their sum finite and above 0; null: all 1.
  const double* weights;
  /// One per query: where its part of `excluded` ends, which begins where that of the query before ends;
  /// null: no pair is excluded.
  const uint32_t* excluded_ends;
  /// Documents that are no negatives of a query, not its positive.
  const uint32_t* excluded;
};

struct ContrastGradients {
  /// query_count x dimension
  float* queries;
  /// document_count x dimension
  float* documents;
  double loss;
  /// dL/dt
  double temperature;
};

/// Excluded pairs have the least float32 as similarity, whose exponential is 0 up to this temperature.
inline constexpr double kMostContrastTemperature = 1e30;
/// Similarities of both directions are kept between their sums and their gradient up to this; beyond it they
/// are computed twice.
inline constexpr std::size_t kKeptSimilarityBytes = std::size_t{512} << 20;

/// InfoNCE within a batch, s_ij = <q_i, d_j>, w the weights, p_i the positive of query i, x_ij = whether
/// j != p_i is of p_i's group or (i, j) is excluded:
///
///     L = sum_i w_i l_i / sum_i w_i,  with s_i = s_ip_i
///     l_i = ln sum over j, not x_ij, of exp((s_ij - s_i) / t)                              query to document
///     l_i = ln sum over i and queries k, p_k != p_i, not x_kp_i, of exp((s_kp_i - s_i) / t)   document to
///     query both: the mean of the two
///
/// and dL/dq_i = sum_j g_ij d_j, dL/dd_j = sum_i g_ij q_i, dL/dt = -1/t sum_ij g_ij s_ij with g = dL/ds.
///
/// s is float32, a chain as of every matrix product; exp and ln are the reference's, sums and g float64, g is
/// rounded once, and the products with it are chains again: the same bits for every number of threads and
/// every machine.
///
/// One direction takes three products of matrices, both at once too where 2 max|q| max|d| <= 600 t and
/// `kept_bytes` hold the similarities, four where they do not; elsewhere both take six. Memory: blocks of 64
/// to 512 rows of similarities, 8 MiB where 64 rows are less, or all of them where they are kept.
///
/// @return not_finite with row and column of a query or document, or where similarities, the loss or a
/// gradient are beyond float32 or float64; aborted
/// @throws std::bad_alloc
Status in_batch_contrast(const MatrixWorkers& workers, const ContrastBatch& batch, std::size_t kept_bytes,
                         ContrastGradients* out);

}  // namespace granule
