/// The interface between the indexes and what runs their scans: the CPU backend in this library, and backends
/// in shared libraries of their own (CUDA), which may be absent. Plain C, so that compilers and C++ libraries
/// may differ.
///
/// The results of a search are fully defined (docs/architecture.md, "exact"): every backend returns the same
/// bits.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Changes with every change of this file that an older library would misread.
#define GRANULE_BACKEND_ABI 4

/// A run of stored rows. Rows are only ever appended: a later snapshot may show the same segment with more
/// rows, while those it had keep their content and address, so that a device may keep copies by `id`.
typedef struct granule_segment {
  /// Unique in this process, never used again.
  uint64_t id;
  /// Number of the first row.
  uint64_t first_row;
  uint64_t row_count;
  /// Vectors of `dimension` numbers of the search's dtype, one after another, without padding.
  const void* vectors;
  /// To be called before vectors are read, null where they are in memory: returns 0 where the file that holds
  /// them is damaged, and the search then ends with GRANULE_CORRUPT. May be called from several threads.
  int32_t (*verify)(const void* owner, uint64_t first_vector, uint64_t vector_count);
  const void* owner;
  /// |x|^2 of each vector in float64, from the reference inner product; null unless the metric is squared L2.
  const double* squared_norms;
  /// Documents only: row i owns the vectors from row_offsets[i] up to row_offsets[i + 1] (row_count + 1
  /// entries, from 0). Null where each row is one vector.
  const uint64_t* row_offsets;
  /// What is added to each row's score before it is rounded; null: nothing.
  const float* row_biases;
  /// The first coded_vector_count vectors, a multiple of 16, also have int8 codes (core/code_layout.h) and,
  /// per row, what bounds their error (kernels/quantize/quantize.h). 0: none.
  uint64_t coded_vector_count;
  const uint8_t* codes;
  const float* scales;
  const float* residual_norms;
  const float* code_norms;
  /// float32 of what is added to each vector's score, or similarity in a document: -|x|^2 for squared L2, and
  /// the row's bias where rows are vectors; null where nothing is.
  const float* biases;
} granule_segment;

/// A search. Everything it points to stays valid and unchanged until the call returns.
typedef struct granule_search {
  uint32_t dimension;
  /// 0 inner product, 1 cosine (vectors are already normalised), 2 negated squared Euclidean distance.
  int32_t metric;
  /// Of the stored vectors: 0 float32, 1 IEEE binary16, 2 bfloat16. Queries are float32.
  int32_t dtype;
  const granule_segment* segments;
  uint64_t segment_count;
  /// Rows in all segments.
  uint64_t row_count;
  /// Finite; normalised for cosine.
  const float* query_vectors;
  uint64_t query_count;
  /// Document search: query q owns the vectors from query_offsets[q] up to query_offsets[q + 1]. Null: one
  /// vector each.
  const uint64_t* query_offsets;
  /// Places per query, at least 1.
  uint32_t k;
  /// Bit r & 7 of byte r >> 3 allows row r; null allows all.
  const uint8_t* filter;
  /// Rows to score, ascending, without repeats; null scores all.
  const uint32_t* candidates;
  uint64_t candidate_count;
  /// Most threads to use, at least 1.
  uint32_t threads;
  /// Polled between blocks of work; non-zero asks to stop.
  int32_t (*cancelled)(const void* context);
  const void* cancelled_context;
} granule_search;

/// Where the results go: query_count x k places, best first; unused places hold row 0xffffffff and score
/// -infinity.
typedef struct granule_hits {
  uint32_t* rows;
  float* scores;
  /// Used places of each query.
  uint32_t* counts;
  /// Document search, may be null: for query q with n vectors starting at vector t, the block at k * t holds
  /// for each of its k places n matched vectors (numbers within the document) and their similarities.
  uint32_t* matched_vectors;
  float* matched_similarities;
  /// The certificate, per query: a score that surely k rows reach, so that rows whose upper bound lies below
  /// it were left out; and how many rows were scored by the reference arithmetic. -infinity and all rows
  /// where no codes were used.
  float* thresholds;
  uint32_t* rows_rescored;
} granule_hits;

/// A sum of integer terms: low + 2^64 high.
typedef struct granule_term_sum {
  uint64_t low;
  uint64_t high;
} granule_term_sum;

/// A sum of exponentials over all rows of a search, which need not be among the k best.
typedef struct granule_term_search {
  /// The rows and queries; its k is not looked at.
  const granule_search* search;
  /// t: finite, above 0.
  double temperature;
  /// m of each query: the greatest score of its rows, -infinity where there are none.
  const float* maxima;
} granule_term_search;

typedef enum granule_result {
  GRANULE_OK = 0,
  GRANULE_CANCELLED = 1,
  GRANULE_OUT_OF_MEMORY = 2,
  GRANULE_FAILED = 3,
  /// A file behind an index is damaged.
  GRANULE_CORRUPT = 4
} granule_result;

/// A backend that can run here. `self` is passed to every call; calls may come from several threads at once.
typedef struct granule_backend {
  void* self;
  /// Searches rows (row_offsets null) or documents by MaxSim. `message` receives the reason of a failure.
  granule_result (*search)(void* self, const granule_search* search, granule_hits* hits, char* message,
                           size_t message_size);
  /// For each query the sum of floor(2^62 exp((s - m) / t)) over the scores s of all rows that the search
  /// allows (core/log_sum_exp.h); 0 where there are none.
  granule_result (*sum_terms)(void* self, const granule_term_search* search, granule_term_sum* sums,
                              char* message, size_t message_size);
  /// No later search will show this segment: copies of it may go.
  void (*release_segment)(void* self, uint64_t id);
  void (*destroy)(void* self);
} granule_backend;

/// What a backend's shared library exports by its function granule_backend_entry.
typedef struct granule_backend_library {
  /// GRANULE_BACKEND_ABI of the header that the library was built with.
  uint32_t abi;
  const char* name;
  /// How well it would run here: 0 not at all, greater is better. `reason` receives why.
  int32_t (*score)(char* reason, size_t reason_size);
  /// Opens it. Returns 0 and fills `reason` where that fails.
  int32_t (*open)(granule_backend* backend, char* reason, size_t reason_size);
} granule_backend_library;

typedef const granule_backend_library* (*granule_backend_entry_function)(void);

#ifdef __cplusplus
}
#endif
