#include "backends/cuda/hopper_check.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "backends/cuda/device_layout.h"
#include "backends/cuda/device_memory.h"
#include "backends/cuda/device_types.h"
#include "backends/cuda/scan_tiles.cuh"
#include "backends/cuda/scan_tiles_hopper.cuh"
#include "backends/cuda/stored_number.h"

namespace granule::cuda {
namespace {

/// Neither whole tiles of rows nor whole steps; the second segment has biases.
constexpr uint32_t kRows[2] = {133, 70};
constexpr uint32_t kDimension = 129;
constexpr uint32_t kSteps = DeviceLayout::steps(kDimension);

struct Found {
  std::vector<uint32_t> counts;
  /// Of each query, by row.
  std::vector<Candidate> candidates;
};

/// The same pseudo-random numbers everywhere (a linear congruential generator).
class Random {
 public:
  explicit Random(uint32_t seed) : state_(seed) {}
  uint32_t below(uint32_t end) {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<uint32_t>((uint64_t{state_ >> 8} * end) >> 24);
  }

 private:
  uint32_t state_;
};

/// Codes from -127 to 127; every eleventh vector is made of these two.
std::vector<int8_t> codes_of(uint32_t count, uint32_t tile, uint32_t seed) {
  std::vector<int8_t> out(DeviceLayout::tiles(count, tile) * DeviceLayout::tile_bytes(kDimension, tile));
  Random random(seed);
  for (uint32_t v = 0; v < count; ++v) {
    for (uint32_t i = 0; i < kDimension; ++i) {
      const auto code = static_cast<int8_t>(static_cast<int>(random.below(255)) - 127);
      const int8_t extreme = code < 0 ? -127 : 127;
      out[v / tile * DeviceLayout::tile_bytes(kDimension, tile) + DeviceLayout::offset(v % tile, i, tile)] =
          v % 11 == 0 ? extreme : code;
    }
  }
  return out;
}

class Check {
 public:
  Check() {
    std::vector<SegmentView> views;
    std::vector<uint32_t> segment_of_tile;
    uint32_t first_row = 0;
    for (uint32_t s = 0; s < 2; ++s) {
      const uint32_t rows = kRows[s];
      std::vector<float> factors[4];
      Random random(7 + s);
      // Room for whole tiles, as segments have it.
      for (uint32_t r = 0; r < DeviceLayout::tiles(rows) * DeviceLayout::kTileRows; ++r) {
        for (int f = 0; f < 3; ++f)
          factors[f].push_back(0x1p-12f * static_cast<float>(16 + random.below(16)));
        factors[3].push_back(static_cast<float>(random.below(32)) - 24.0f);
      }
      SegmentView view{};
      view.codes = put(codes_of(rows, DeviceLayout::kTileRows, 1 + s), &codes_);
      view.scales = put(factors[0], &floats_);
      view.residual_norms = put(factors[1], &floats_);
      view.code_norms = put(factors[2], &floats_);
      view.biases = s == 0 ? nullptr : put(factors[3], &floats_);
      view.first_row = first_row;
      view.row_count = rows;
      view.first_tile = static_cast<uint32_t>(segment_of_tile.size());
      views.push_back(view);
      segment_of_tile.insert(segment_of_tile.end(), DeviceLayout::tiles(rows), s);
      first_row += rows;
    }
    row_count_ = first_row;
    tiles_ = static_cast<uint32_t>(segment_of_tile.size());
    scan_.segments = put(views, &views_);
    scan_.segment_of_tile = put(segment_of_tile, &words_);
    scan_.first_tile = 0;
    scan_.end_tile = tiles_;
    scan_.steps = kSteps;
    stream_.wait();
  }

  void set_queries(uint32_t count) {
    std::vector<ScanQuery> queries(count);
    std::vector<uint32_t> thresholds(count);
    Random random(count);
    for (uint32_t q = 0; q < count; ++q) {
      const float scale = 0x1p-8f * static_cast<float>(16 + random.below(16));
      // Widths and biases of the size of the products, so that they decide too.
      queries[q] = {scale, 0.0f, 0x1p12f, 0x1p11f, 0.25f, -1.5f, 0x1p-10f};
      // None is known; nothing is wanted; or some rows reach it.
      const uint32_t bits = bits_of_float(static_cast<float>(random.below(64)));
      thresholds[q] = q % 16 == 0 ? 0 : q % 16 == 1 ? 0xffffffffu : ordered_key(bits);
    }
    scan_.query_count = count;
    scan_.query_codes = put(codes_of(count, scan_tiles_queries(count), count), &codes_);
    scan_.queries = put(queries, &queries_);
    scan_.thresholds = put(thresholds, &words_);
    counts_ = DeviceArray<uint32_t>(count, memory_stream_);
    candidates_ = DeviceArray<Candidate>(std::size_t{count} * row_count_, memory_stream_);
    scan_.lists = {candidates_.data(), counts_.data(), row_count_};
    stream_.wait();
  }

  template <typename Launch>
  Found find(const Launch& launch) {
    Found out;
    out.counts.resize(scan_.query_count);
    out.candidates.resize(candidates_.size());
    check(cudaMemsetAsync(counts_.data(), 0, counts_.bytes(), stream_), "the device failed");
    check(cudaMemsetAsync(candidates_.data(), 0, candidates_.bytes(), stream_), "the device failed");
    check(launch(scan_, stream_), "the check of the scan failed");
    check(
        cudaMemcpyAsync(out.counts.data(), counts_.data(), counts_.bytes(), cudaMemcpyDeviceToHost, stream_),
        "a copy from the device failed");
    check(cudaMemcpyAsync(out.candidates.data(), candidates_.data(), candidates_.bytes(),
                          cudaMemcpyDeviceToHost, stream_),
          "a copy from the device failed");
    stream_.wait();
    for (uint32_t q = 0; q < scan_.query_count; ++q) {
      const auto begin = out.candidates.begin() + std::size_t{q} * row_count_;
      std::sort(begin, begin + std::min(out.counts[q], row_count_),
                [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
    }
    return out;
  }

  uint32_t tiles() const { return tiles_; }

 private:
  /// Copies to the device; what lies there stays as long as the check.
  template <typename T>
  const T* put(const std::vector<T>& from, std::vector<DeviceArray<T>>* kept) {
    kept->emplace_back(from.size(), memory_stream_);
    T* const out = kept->back().data();
    check(cudaMemcpyAsync(out, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice, stream_),
          "a copy to the device failed");
    stream_.wait();
    return out;
  }

  // Outlive the arrays.
  Stream memory_stream_;
  Stream stream_;
  std::vector<DeviceArray<int8_t>> codes_;
  std::vector<DeviceArray<float>> floats_;
  std::vector<DeviceArray<uint32_t>> words_;
  std::vector<DeviceArray<SegmentView>> views_;
  std::vector<DeviceArray<ScanQuery>> queries_;
  DeviceArray<uint32_t> counts_;
  DeviceArray<Candidate> candidates_;
  ScanArguments scan_{};
  uint32_t row_count_ = 0;
  uint32_t tiles_ = 0;
};

bool is_same(const Found& a, const Found& b) {
  return a.counts == b.counts &&
         std::memcmp(a.candidates.data(), b.candidates.data(), a.candidates.size() * sizeof(Candidate)) == 0;
}

}  // namespace

std::string hopper_fault() {
  Check check_of_scan;
  // In both layouts of queries, each with a part of a last tile.
  for (const uint32_t query_count : {261u, 61u}) {
    check_of_scan.set_queries(query_count);
    const Found expected = check_of_scan.find(launch_scan_tiles);
    if (std::all_of(expected.counts.begin(), expected.counts.end(), [](uint32_t n) { return n == 0; }))
      return "the device's scan finds nothing";
    const unsigned layout = scan_tiles_queries(query_count);
    for (unsigned queries = 64; queries <= layout; queries *= 2) {
      // A block goes through all tiles of rows, or each tile has its own; stages come round, or are enough.
      const bool shared = queries != 128;
      const unsigned query_tiles = (query_count + queries - 1) / queries;
      const HopperShape shape{layout, queries, shared ? 3u : 7u,
                              query_tiles * (shared ? 1 : check_of_scan.tiles())};
      const Found found = check_of_scan.find([&shape](const ScanArguments& scan, cudaStream_t stream) {
        return launch_scan_tiles_hopper(scan, shape, stream);
      });
      if (!is_same(found, expected))
        return "it finds other candidates with tiles of " + std::to_string(queries) + " queries";
    }
  }
  return {};
}

}  // namespace granule::cuda
