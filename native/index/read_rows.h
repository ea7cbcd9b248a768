#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel_flag.h"
#include "core/status.h"
#include "index/engine.h"
#include "index/segment.h"

namespace granule {

/// Most numbers that one reading gives back: 1 GiB.
constexpr uint64_t kMaxReadNumbers = uint64_t{1} << 28;

/// How many vectors rows have, in all and, for documents, each.
///
/// @param rows in any order, repeats allowed, removed ones too
/// @param lengths receives one length per row; null where rows are vectors
/// @return row_not_found with the number of a row that is none of the snapshot's, out_of_memory for more than
/// kMaxReadNumbers
Status measure_rows(const Snapshot& snapshot, const StoreOptions& options, const uint32_t* rows,
                    std::size_t count, uint32_t* lengths, uint64_t* vector_count);

/// The stored vectors of rows that `measure_rows` has found, one after another, as float32: what is stored in
/// 16 bits is widened, which is exact.
///
/// @param out room for the vectors that were measured
/// @return index_corrupt, aborted
/// @throws std::bad_alloc
Status read_rows(Engine& engine, const StoreOptions& options, const Snapshot& snapshot, const uint32_t* rows,
                 std::size_t count, unsigned threads, const CancelFlag& cancel, float* out);

}  // namespace granule
