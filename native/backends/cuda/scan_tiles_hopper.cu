#include "backends/cuda/device_layout.h"
#include "backends/cuda/hopper_instructions.cuh"
#include "backends/cuda/needed_product.h"
#include "backends/cuda/scan_epilogue.cuh"
#include "backends/cuda/scan_tiles.cuh"
#include "backends/cuda/scan_tiles_hopper.cuh"
#include "backends/cuda/shared_memory.h"

// A block keeps the codes of one tile of queries in shared memory for as long as it runs, and the rows pass
// by: what limits matrix instructions this fast is how many bytes they are fed. Its two warpgroups take the
// two halves of each tile of rows on their own, each with its own ring of stages and a warp that fills it:
// while one tests its sums against the thresholds the other has the matrix units for itself.

namespace granule::cuda {
namespace {

constexpr unsigned kConsumers = 2;
constexpr unsigned kConsumerWarps = kWarpgroupThreads / kWarpLanes;
/// The warpgroups that multiply, and one warp for each that brings its rows.
constexpr unsigned kThreads = kConsumers * (kWarpgroupThreads + kWarpLanes);
/// Rows of a warpgroup, and of a stage.
constexpr unsigned kRows = DeviceLayout::kTileRows / kConsumers;
constexpr unsigned kStageBytes = kRows * DeviceLayout::kStep;
constexpr unsigned kLeastStages = 3;
constexpr unsigned kMostStages = 16;
/// That a block of compute capability 9.0 may have.

/// What a block keeps in shared memory besides the codes.
template <unsigned kQueries>
struct Notes {
  /// What the sums of each warpgroup's rows must reach (needed_product.h).
  float needed[kConsumers][kQueries];
  GroupFactors group[kConsumers][kConsumerWarps];
  float greatest_scale[kConsumers][kConsumerWarps];
  SharedBarrier queries_are_there;
  SharedBarrier first_has_multiplied;
  SharedBarrier full[kConsumers][kMostStages];
  SharedBarrier empty[kConsumers][kMostStages];
};

template <unsigned kQueries>
std::size_t shared_bytes_of(unsigned steps, unsigned stages) {
  return std::size_t{steps} * kQueries * DeviceLayout::kStep +
         std::size_t{kConsumers} * stages * kStageBytes + sizeof(Notes<kQueries>);
}

#if defined(GRANULE_HOPPER)

constexpr unsigned kTileStepBytes = DeviceLayout::kTileRows * DeviceLayout::kStep;
constexpr unsigned kChunkBytes = DeviceLayout::kGroupRows * DeviceLayout::kChunk;
/// One instruction multiplies 32 dimensions: two chunks of a step.
constexpr unsigned kHalfStepBytes = 2 * kChunkBytes;

/// Where in a ring a warp is; a stage's barriers have one phase for each time around.
struct RingPlace {
  unsigned stage = 0;
  unsigned parity = 0;

  __device__ void advance(unsigned stages) {
    if (++stage != stages) return;
    stage = 0;
    parity ^= 1;
  }
};

/// The tiles of rows that a block goes through.
struct RowTiles {
  uint32_t first;
  uint32_t end;
  uint32_t stride;
};

__device__ inline const int8_t* codes_of_tile(const ScanArguments& scan, uint32_t tile) {
  const SegmentView& segment = scan.segments[scan.segment_of_tile[tile]];
  return segment.codes + static_cast<std::size_t>(tile - segment.first_tile) * scan.steps * kTileStepBytes;
}

/// One thread brings the rows of warpgroup `consumer`, tile after tile.
__device__ inline void bring_rows(const ScanArguments& scan, const RowTiles& tiles, unsigned consumer,
                                  unsigned char* ring, SharedBarrier* full, SharedBarrier* empty,
                                  unsigned stages, bool prefetches) {
  RingPlace at;
  const int8_t* rows = tiles.first < tiles.end ? codes_of_tile(scan, tiles.first) : nullptr;
  for (uint32_t tile = tiles.first; tile < tiles.end; tile += tiles.stride) {
    const uint32_t next_tile = tile + tiles.stride;
    const int8_t* const next_rows = next_tile < tiles.end ? codes_of_tile(scan, next_tile) : nullptr;
    for (unsigned step = 0; step < scan.steps; ++step) {
      const std::size_t offset = static_cast<std::size_t>(step) * kTileStepBytes + consumer * kStageBytes;
      wait_for_phase(empty + at.stage, at.parity ^ 1);
      arrive_and_expect(full + at.stage, kStageBytes);
      copy_bulk_async(ring + at.stage * kStageBytes, rows + offset, kStageBytes, full + at.stage);
      if (prefetches && next_rows != nullptr) prefetch_bulk(next_rows + offset, kStageBytes);
      at.advance(stages);
    }
    rows = next_rows;
  }
}

/// One thread brings the block's queries: all of them at once.
template <unsigned kQueries>
__device__ inline void bring_queries(const ScanArguments& scan, uint32_t first_query, unsigned layout_queries,
                                     unsigned char* queries, SharedBarrier* barrier) {
  constexpr unsigned kBytes = kQueries * DeviceLayout::kStep;
  const unsigned layout_step_bytes = layout_queries * DeviceLayout::kStep;
  const int8_t* const from =
      scan.query_codes +
      static_cast<std::size_t>(first_query / layout_queries) * scan.steps * layout_step_bytes +
      first_query % layout_queries * DeviceLayout::kStep;
  arrive_and_expect(barrier, scan.steps * kBytes);
  for (unsigned step = 0; step < scan.steps; ++step)
    copy_bulk_async(queries + step * kBytes, from + static_cast<std::size_t>(step) * layout_step_bytes,
                    kBytes, barrier);
}

/// sums = rows of one tile times the block's queries. Each stage is given back as soon as it was multiplied.
template <unsigned kQueries>
__device__ inline void multiply_tile(int (&sums)[kQueries / 2], unsigned steps, const unsigned char* queries,
                                     const unsigned char* ring, SharedBarrier* full, SharedBarrier* empty,
                                     unsigned stages, RingPlace* at) {
  const bool releases = lane_index() == 0;
  unsigned last_stage = 0;
  hold_sums(sums);
  for (unsigned step = 0; step < steps; ++step) {
    wait_for_phase(full + at->stage, at->parity);
    const unsigned char* const own_rows = ring + at->stage * kStageBytes;
    const unsigned char* const own_queries = queries + step * kQueries * DeviceLayout::kStep;
    __syncwarp();
    begin_multiplications();
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      multiply_64xNx32_async<kQueries>(
          sums, matrix_operand(own_rows + half * kHalfStepBytes, kChunkBytes, DeviceLayout::kGroupBytes),
          matrix_operand(own_queries + half * kHalfStepBytes, kChunkBytes, DeviceLayout::kGroupBytes),
          step != 0 || half != 0);
    }
    commit_multiplications();
    wait_for_multiplications<1>();
    if (releases && step != 0) arrive(empty + last_stage);
    last_stage = at->stage;
    at->advance(stages);
  }
  wait_for_multiplications<0>();
  hold_sums(sums);
  if (releases) arrive(empty + last_stage);
}

/// The greatest factors in the 16 rows of a warp, each lane with two of them.
__device__ inline GroupFactors greatest_of_warp(GroupFactors own) {
#pragma unroll
  for (int distance = 4; distance < static_cast<int>(kWarpLanes); distance *= 2) {
    own = larger(own, {__shfl_xor_sync(kAllLanes, own.residual_norm, distance),
                       __shfl_xor_sync(kAllLanes, own.code_norm, distance),
                       __shfl_xor_sync(kAllLanes, own.bias, distance),
                       __shfl_xor_sync(kAllLanes, own.bias_magnitude, distance)});
  }
  return own;
}

/// The greatest scale of the block's queries that a row can be a candidate of.
template <unsigned kQueries>
__device__ inline float greatest_query_scale(const ScanArguments& scan, uint32_t first_query,
                                             float (&of_warps)[kConsumerWarps], unsigned barrier) {
  float own = 0.0f;
  for (unsigned q = first_query + threadIdx.x % kWarpgroupThreads; q < first_query + kQueries;
       q += kWarpgroupThreads) {
    if (q < scan.query_count && scan.thresholds[q] != kNoRowReaches) own = larger(scan.queries[q].scale, own);
  }
#pragma unroll
  for (int distance = 1; distance < static_cast<int>(kWarpLanes); distance *= 2)
    own = larger(own, __shfl_xor_sync(kAllLanes, own, distance));
  if (lane_index() == 0) of_warps[warp_index() % kConsumerWarps] = own;
  sync_threads(barrier, kWarpgroupThreads);
  for (const float other : of_warps) own = larger(own, other);
  return own;
}

/// Two rows of a thread, `first` and `first` + 8 of a segment: its sums 4 j + 2 h + s belong to row h.
struct OwnRows {
  const SegmentView* segment;
  uint32_t first;
  float scales[2];
  float shares[2];
};

/// Takes the candidates among the sums of a thread, in groups of which most hold none.
template <unsigned kQueries>
__device__ inline void take_candidates(const ScanArguments& scan, uint32_t first_query, const OwnRows& own,
                                       const float (&needed)[kQueries], const int (&sums)[kQueries / 2]) {
  constexpr unsigned kColumnsAtATime = 2;
  constexpr unsigned kSums = 4 * kColumnsAtATime;
  const unsigned column = lane_index() % 4 * 2;
#pragma unroll
  for (unsigned j = 0; j < kQueries / DeviceLayout::kGroupRows; j += kColumnsAtATime) {
    bool reached = false;
#pragma unroll
    for (unsigned i = 0; i < kSums; ++i) {
      const unsigned h = i / 2 % 2;
      const float product = weighed_product(sums[4 * j + i], own.scales[h], own.shares[h]);
      reached |= product >= needed[8 * (j + i / 4) + column + i % 2];
    }
    if (!reached) continue;
      // Rare, and therefore short rather than fast: one piece of code for all sums of the group, which reads
      // again what it needs.
#pragma unroll 1
    for (unsigned i = 0; i < kSums; ++i) {
      int dot = sums[4 * j];
#pragma unroll
      for (unsigned other = 1; other < kSums; ++other) dot = i == other ? sums[4 * j + other] : dot;
      const uint32_t q = first_query + 8 * (j + i / 4) + column + i % 2;
      const uint32_t row = own.first + i / 2 % 2 * 8;
      if (q >= scan.query_count || row >= own.segment->row_count) continue;
      take_where_reached(scan, q, scan.queries[q], scan.thresholds[q], dot, row_factors(*own.segment, row),
                         own.segment->first_row + row);
    }
  }
}

/// What one warpgroup does.
template <unsigned kQueries>
__device__ inline void scan_rows(const ScanArguments& scan, const RowTiles& tiles, uint32_t first_query,
                                 unsigned consumer, const unsigned char* queries, const unsigned char* ring,
                                 Notes<kQueries>& notes, unsigned stages) {
  const unsigned barrier = 1 + consumer;
  const unsigned thread = threadIdx.x % kWarpgroupThreads;
  const unsigned warp = thread / kWarpLanes;
  const float greatest_scale =
      greatest_query_scale<kQueries>(scan, first_query, notes.greatest_scale[consumer], barrier);
  wait_for_phase(&notes.queries_are_there, 0);
  // The second warpgroup begins later, and stays behind: else both would test their sums at the same time.
  if (consumer != 0 && tiles.first + tiles.stride < tiles.end) wait_for_phase(&notes.first_has_multiplied, 0);
  RingPlace at;
  int sums[kQueries / 2] = {};
  for (uint32_t tile = tiles.first; tile < tiles.end; tile += tiles.stride) {
    const SegmentView& segment = scan.segments[scan.segment_of_tile[tile]];
    const uint32_t first_row = (tile - segment.first_tile) * DeviceLayout::kTileRows + consumer * kRows +
                               warp * 16 + lane_index() / 4;
    // On their way while the rows are multiplied.
    const RowFactors factors[2] = {row_factors(segment, first_row), row_factors(segment, first_row + 8)};
    const bool there[2] = {first_row < segment.row_count, first_row + 8 < segment.row_count};
    multiply_tile<kQueries>(sums, scan.steps, queries, ring, notes.full[consumer], notes.empty[consumer],
                            stages, &at);
    if (consumer == 0 && tile == tiles.first && lane_index() == 0) arrive(&notes.first_has_multiplied);
    GroupFactors group;
#pragma unroll
    for (unsigned h = 0; h < 2; ++h) {
      const RowFactors& row = factors[h];
      if (there[h]) group = larger(group, {row.residual_norm, row.code_norm, row.bias, fabsf(row.bias)});
    }
    group = greatest_of_warp(group);
    if (lane_index() == 0) notes.group[consumer][warp] = group;
    sync_threads(barrier, kWarpgroupThreads);
    for (const GroupFactors& other : notes.group[consumer]) group = larger(group, other);
    for (unsigned q = thread; q < kQueries; q += kWarpgroupThreads) {
      const bool there = first_query + q < scan.query_count;
      notes.needed[consumer][q] =
          there ? needed_product(scan.queries[first_query + q], scan.thresholds[first_query + q], group)
                : __uint_as_float(0x7f800000u);
    }
    sync_threads(barrier, kWarpgroupThreads);
    OwnRows own{&segment, first_row, {factors[0].scale, factors[1].scale}, {}};
#pragma unroll
    for (unsigned h = 0; h < 2; ++h) {
      // A row that is not there reaches nothing: NaN.
      own.shares[h] =
          there[h] ? share_of_bias(factors[h].bias, group, greatest_scale) : __uint_as_float(0x7fc00000u);
    }
    take_candidates<kQueries>(scan, first_query, own, notes.needed[consumer], sums);
    __syncwarp();
  }
}

#endif

template <unsigned kQueries>
__global__ void __launch_bounds__(kThreads, 1)
    scan_tiles_hopper(const ScanArguments scan, const unsigned layout_queries, const unsigned stages) {
#if defined(GRANULE_HOPPER)
  unsigned char* const queries = dynamic_shared_memory();
  unsigned char* const rings = queries + scan.steps * kQueries * DeviceLayout::kStep;
  Notes<kQueries>& notes = *reinterpret_cast<Notes<kQueries>*>(rings + kConsumers * stages * kStageBytes);
  // Blocks that run at the same time share their rows, which the cache then holds.
  const unsigned query_tiles = (scan.query_count + kQueries - 1) / kQueries;
  const uint32_t first_query = blockIdx.x % query_tiles * kQueries;
  const RowTiles tiles{scan.first_tile + blockIdx.x / query_tiles, scan.end_tile, gridDim.x / query_tiles};

  if (threadIdx.x == 0) {
    init_barrier(&notes.queries_are_there, 1);
    init_barrier(&notes.first_has_multiplied, kConsumerWarps);
    for (unsigned consumer = 0; consumer < kConsumers; ++consumer) {
      for (unsigned stage = 0; stage < stages; ++stage) {
        init_barrier(&notes.full[consumer][stage], 1);
        init_barrier(&notes.empty[consumer][stage], kConsumerWarps);
      }
    }
    publish_barriers();
  }
  __syncthreads();

  const unsigned warp = warp_index();
  if (warp < kConsumers * kConsumerWarps) {
    const unsigned consumer = warp / kConsumerWarps;
    scan_rows<kQueries>(scan, tiles, first_query, consumer, queries, rings + consumer * stages * kStageBytes,
                        notes, stages);
  } else if (lane_index() == 0) {
    const unsigned consumer = warp - kConsumers * kConsumerWarps;
    if (consumer == 0)
      bring_queries<kQueries>(scan, first_query, layout_queries, queries, &notes.queries_are_there);
    bring_rows(scan, tiles, consumer, rings + consumer * stages * kStageBytes, notes.full[consumer],
               notes.empty[consumer], stages, first_query == 0);
  }
#endif
}

/// As many stages as shared memory holds; 0 where it holds too few.
template <unsigned kQueries>
unsigned stages_of(unsigned steps, std::size_t shared_bytes) {
  const std::size_t others = shared_bytes_of<kQueries>(steps, 0);
  if (others > shared_bytes) return 0;
  const std::size_t fitting = (shared_bytes - others) / (kConsumers * kStageBytes);
  return fitting < kLeastStages ? 0 : static_cast<unsigned>(fitting < kMostStages ? fitting : kMostStages);
}

template <unsigned kQueries>
cudaError_t run(const ScanArguments& scan, const HopperShape& shape, cudaStream_t stream) {
  const std::size_t shared = shared_bytes_of<kQueries>(scan.steps, shape.stages);
  if (const cudaError_t error =
          allow_shared_memory(reinterpret_cast<const void*>(scan_tiles_hopper<kQueries>), shared);
      error != cudaSuccess) {
    return error;
  }
  return launch(scan_tiles_hopper<kQueries>, dim3(shape.blocks), dim3(kThreads), shared, stream, scan,
                shape.layout_queries, shape.stages);
}

}  // namespace

HopperShape hopper_shape(const ScanArguments& scan, unsigned multiprocessors, std::size_t shared_bytes) {
  HopperShape out{scan_tiles_queries(scan.query_count), 256, 0, 0};
  if (out.layout_queries == 256) out.stages = stages_of<256>(scan.steps, shared_bytes);
  if (out.stages == 0 && out.layout_queries == 256) {
    out.queries = 128;
    out.stages = stages_of<128>(scan.steps, shared_bytes);
  }
  if (out.stages == 0) {
    out.queries = 64;
    out.stages = stages_of<64>(scan.steps, shared_bytes);
  }
  if (out.stages == 0) return {out.layout_queries, 0, 0, 0};
  // As many rows at a time as there are multiprocessors for all queries.
  const unsigned query_tiles = (scan.query_count + out.queries - 1) / out.queries;
  const unsigned tiles = scan.end_tile - scan.first_tile;
  const unsigned at_a_time = multiprocessors > query_tiles ? multiprocessors / query_tiles : 1;
  out.blocks = query_tiles * (at_a_time < tiles ? at_a_time : tiles);
  return out;
}

cudaError_t launch_scan_tiles_hopper(const ScanArguments& scan, const HopperShape& shape,
                                     cudaStream_t stream) {
  switch (shape.queries) {
    case 256:
      return run<256>(scan, shape, stream);
    case 128:
      return run<128>(scan, shape, stream);
    default:
      return run<64>(scan, shape, stream);
  }
}

}  // namespace granule::cuda
