// The two kernels for batches of queries: both give what the CPU gives, and a device whose matrix
// instructions of warpgroups are wrong does without them.

#include <random>

#include "backends/cuda/needed_product.h"
#include "tests/cuda_emulated_fixture.h"

using namespace granule;
using test_cuda::Case;
using test_cuda::compare;
using test_cuda::cuda_engine;
using test_cuda::is_skipped;

namespace {

std::string reason_of(const std::shared_ptr<Engine>& engine) { return engine->backends.find("cuda")->reason; }

/// Batches in every shape: tiles of 64, 128 and 256 queries, dimensions from less than a step on, vectors too
/// long for shared memory, and several segments.
void compare_batches(const std::shared_ptr<Engine>& engine) {
  struct Batch {
    uint32_t dimension;
    std::size_t vectors;
    std::size_t queries;
  };
  uint64_t seed = 1;
  for (const Batch& batch :
       {Batch{24, 2100, 9}, Batch{1, 500, 64}, Batch{65, 900, 65}, Batch{129, 300, 300}, Batch{768, 300, 130},
        Batch{1025, 150, 129}, Batch{2000, 150, 66}, Batch{2000, 150, 20}, Batch{4000, 150, 12}}) {
    Case test;
    const Metric metrics[] = {Metric::inner_product, Metric::squared_l2, Metric::cosine};
    test.options = {batch.dimension, metrics[seed % 3], Dtype::f32, false, true};
    test.vectors = batch.vectors;
    test.queries = batch.queries;
    test.biased = seed % 2 == 0;
    test.filtered = seed % 4 == 1;
    test.adds = seed % 3 == 0 ? 2 : 1;
    test.k = 5;
    test.seed = ++seed;
    compare(engine, test);
  }
}

}  // namespace

TEST_CASE("CUDA: batches of every shape") {
  if (is_skipped()) return;
  const auto engine = cuda_engine();
  MESSAGE(reason_of(engine));
  compare_batches(engine);
}

TEST_CASE("CUDA: what a product must reach leaves out no candidate, and few others") {
  using namespace granule::cuda;
  std::mt19937 random(3);
  const auto between = [&random](float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(random);
  };
  const auto power = [&random](int low, int high) {
    return std::ldexp(1.0f, std::uniform_int_distribution<int>(low, high)(random));
  };
  std::size_t left_out = 0;
  std::size_t taken = 0;
  std::size_t candidates = 0;
  for (int round = 0; round < 20000; ++round) {
    // From alike to widely different magnitudes of all that is added.
    const int spread = round % 4 * 12;
    const float query_scale = power(-8 - spread / 2, spread / 2);
    const ScanQuery query{query_scale * between(1, 2),
                          0.0f,
                          power(-spread, spread) * between(0, 0.01f),
                          power(-spread, spread) * between(0, 0.01f),
                          0x1p-20f,
                          round % 3 == 0 ? 0.0f : power(-spread, spread) * between(-2, 2),
                          power(-spread, 0) * 0x1p-10f};
    const float greatest_scale = query.scale * (round % 5 == 0 ? power(0, 20) : 1.0f);
    struct Row {
      int dot;
      float scale, residual_norm, code_norm, bias;
    };
    Row rows[4];
    GroupFactors group;
    for (Row& row : rows) {
      row = {static_cast<int>(between(-1, 1) * 0x1p24f) >> (round % 20),
             power(-8 - spread / 2, spread / 2) * between(1, 2), between(0, 1), between(0, 2),
             round % 2 == 0 ? 0.0f : power(-spread, spread) * between(-2, 1)};
      group = larger(group, {row.residual_norm, row.code_norm, row.bias, std::fabs(row.bias)});
    }
    const auto upper_of = [&query](const Row& row) {
      const float product = static_cast<float>(row.dot) * (query.scale * row.scale);
      return interval_of(product, query, row.residual_norm, row.code_norm, row.bias).upper;
    };
    // The threshold is what a row just reaches, or just misses.
    uint32_t threshold = ordered_key(bits_of_float(upper_of(rows[0])));
    if (round % 2 == 0) ++threshold;
    const float needed = needed_product(query, threshold, group);
    for (const Row& row : rows) {
      const bool is_candidate = ordered_key(bits_of_float(upper_of(row))) >= threshold;
      const bool is_taken =
          weighed_product(row.dot, row.scale, share_of_bias(row.bias, group, greatest_scale)) >= needed;
      left_out += is_candidate && !is_taken ? 1 : 0;
      candidates += is_candidate ? 1 : 0;
      taken += is_taken ? 1 : 0;
    }
  }
  CHECK(left_out == 0);
  CHECK(candidates > 30000);
  CHECK(taken < candidates * 3 / 2);
  const ScanQuery plain{1.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  const ScanQuery zero{};
  const float infinity = float_of_bits(0x7f800000u);
  CHECK(needed_product(plain, 0, {}) == -infinity);
  CHECK(needed_product(plain, kNoRowReaches, {}) == infinity);
  // A query of zeros has the same product with all rows: its interval decides.
  GroupFactors without_bias;
  without_bias.bias = 0.0f;
  CHECK(needed_product(zero, ordered_key(bits_of_float(0.0f)), without_bias) == -infinity);
  CHECK(needed_product(zero, ordered_key(bits_of_float(1.0f)), without_bias) == infinity);
}

#if defined(CUDA_EMULATED_LIBRARY)

using test_cuda::is_real;
using test_cuda::Machine;

TEST_CASE("CUDA, emulated: batches by the instructions of each generation") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  Machine machine(settings);
  const auto hopper = cuda_engine();
  const std::string of_hopper = reason_of(hopper);
  CHECK_MESSAGE(of_hopper.find("; batches by wgmma") != std::string::npos, of_hopper);
  machine->major = 8;
  const auto ampere = cuda_engine();
  const std::string of_ampere = reason_of(ampere);
  CHECK_MESSAGE(of_ampere.find("; batches by mma.sync") != std::string::npos, of_ampere);
  compare_batches(ampere);
}

TEST_CASE("CUDA, emulated: a device whose warpgroups multiply wrongly does without them, and says so") {
  if (is_real()) return;
  cuda_emulator::Settings settings;
  settings.multiplies_wrongly = true;
  Machine machine(settings);
  const auto engine = cuda_engine();
  CHECK(
      reason_of(engine).find("; batches by mma.sync, not wgmma: it finds other candidates with tiles of ") !=
      std::string::npos);
  Case test;
  test.options = {70, Metric::inner_product, Dtype::f32, false, true};
  test.vectors = 700;
  test.queries = 70;
  compare(engine, test);
}

TEST_CASE("CUDA, emulated: a device on which the check of its warpgroups fails does without them") {
  if (is_real()) return;
  Machine machine{cuda_emulator::Settings{}};
  const auto refusal = [&machine] {
    const std::string reason = reason_of(cuda_engine());
    CHECK(test_cuda::memory_in_use() == 0);
    return reason.substr(reason.find("batches by"));
  };
  const std::string without = "batches by mma.sync, not wgmma: ";
  machine->memory_bytes = 20000;
  CHECK(refusal() == without + "the device has not enough memory: out of memory");
  machine->memory_bytes = std::size_t{1} << 30;
  // The first launch is the common kernel's, the second the other's.
  for (int64_t launches = 0; launches < 2; ++launches) {
    machine->launches_until_failure = launches;
    CHECK(refusal() == without + "the check of the scan failed: unspecified launch failure");
  }
}

#else

TEST_CASE("CUDA, emulated: batches by the instructions of each generation") { CHECK(is_skipped()); }

#endif
