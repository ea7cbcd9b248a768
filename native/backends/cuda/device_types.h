#pragma once

#include <cstdint>

#include "backends/cuda/host_device.h"

namespace granule::cuda {

/// What kernels see of a segment's rows that a device holds; all pointers are the device's.
struct SegmentView {
  /// DeviceLayout; scales and norms as kernels/quantize/quantize.h has them.
  const int8_t* codes;
  const float* scales;
  const float* residual_norms;
  const float* code_norms;
  /// float32 of what is added to a vector's score; null: nothing.
  const float* biases;
  /// As stored; null where the device has no room for them.
  const void* vectors;
  const double* squared_norms;
  const float* row_biases;
  /// Documents: vectors row_offsets[i] to row_offsets[i + 1] belong to row i; null where rows are vectors.
  const uint64_t* row_offsets;
  uint32_t first_row;
  uint32_t row_count;
  /// Of the codes, counted through all segments of a search.
  uint32_t first_tile;
  uint32_t vector_count;
};

/// A query's part of the interval of a score (kernels/code_scan/code_scan.h), for signed codes.
struct ScanQuery {
  float scale;
  float fine_scale;
  float norm_factor;
  float residual_factor;
  float bias_factor;
  float shift;
  float slack;
};

/// A row that may be among a query's k best.
struct Candidate {
  uint32_t row;
  float lower;
  float upper;
};

/// The candidates that kernels have found for the queries of a search.
struct CandidateLists {
  /// `capacity` for each query.
  Candidate* candidates;
  /// For each query how many were found, of which those beyond the capacity are lost.
  uint32_t* counts;
  uint32_t capacity;
};

/// The ends of the interval that holds the score of a row.
struct Interval {
  float lower;
  float upper;
};

/// @param product of the codes' dot product and the scales: I * (query scale * row scale), each operation
/// rounded
GRANULE_HD inline Interval interval_of(float product, const ScanQuery& query, float residual_norm,
                                       float code_norm, float bias) {
  const float center = (product + bias) + query.shift;
  const float magnitude = bias < 0 ? -bias : bias;
  const float width = ((query.norm_factor * code_norm + query.residual_factor * residual_norm) +
                       query.bias_factor * magnitude) +
                      query.slack;
  return {center - width, center + width};
}

/// Keys that order like the floats they come from, NaN aside; both zeros have the same.
GRANULE_HD inline uint32_t ordered_key(uint32_t bits) {
  if (bits == 0x80000000u) bits = 0;
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
GRANULE_HD inline uint32_t bits_of_key(uint32_t key) {
  return (key & 0x80000000u) != 0 ? key & 0x7fffffffu : ~key;
}

/// Whether a filter (null: none) allows a row.
GRANULE_HD inline bool is_allowed(const uint8_t* filter, uint32_t row) {
  return filter == nullptr || ((filter[row >> 3] >> (row & 7)) & 1) != 0;
}

}  // namespace granule::cuda
