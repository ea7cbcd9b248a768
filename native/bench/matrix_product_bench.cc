// What share of this machine's float32 peak products of matrices reach.
//
//     granule_matrix_product_bench [seconds per product]
//
// Prints one JSON object per product, on one thread and on one per core. The peak is that of
// granule_roofline's loop, measured in turn with the product, and both figures are the best of all turns:
// what else runs on the machine meets both alike.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include "bench/roofline_loops.h"
#include "training/matrix_product.h"

namespace granule {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Size {
  const char* meaning;
  std::size_t rows, columns, depth;
  bool a_transposed, b_transposed;
};

/// A tower's three products for a batch of 4,096 and 512 numbers, the forward one of a small batch, and one
/// query.
constexpr Size kSizes[] = {{"forward, X W^T", 4096, 512, 512, false, true},
                           {"weight gradient, G^T X", 512, 512, 4096, true, false},
                           {"input gradient, G W", 4096, 512, 512, false, false},
                           {"forward, X W^T", 64, 128, 768, false, true},
                           {"forward, X W^T", 1, 512, 768, false, true}};

/// float32 operations a second that `threads` threads do together on registers alone, in one short turn.
double peak(const RooflineLoops& loops, int threads) {
  constexpr std::uint64_t kRounds = 200'000;
  Clock::time_point start;
  std::barrier ready(threads, [&]() noexcept { start = Clock::now(); });
  std::vector<double> seconds(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  std::uint64_t operations = 0;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      ready.arrive_and_wait();
      const std::uint64_t done = loops.multiply_add_f32(kRounds);
      if (t == 0) operations = done;
      seconds[static_cast<std::size_t>(t)] = seconds_since(start);
    });
  }
  for (std::thread& worker : workers) worker.join();
  return static_cast<double>(operations) * threads / *std::max_element(seconds.begin(), seconds.end());
}

std::vector<float> numbers(std::size_t count) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 64;
  return out;
}

void measure(const RooflineLoops& loops, const KernelTable& kernels, const Size& size, unsigned threads,
             double limit) {
  ThreadPool pool;
  pool.grow_to(threads);
  const CancelFlag cancel;
  const std::vector<float> a = numbers(size.rows * size.depth);
  const std::vector<float> b = numbers(size.columns * size.depth);
  std::vector<float> c(size.rows * size.columns);
  const MatrixProduct product{{a.data(), size.a_transposed ? size.rows : size.depth, size.a_transposed},
                              {b.data(), size.b_transposed ? size.depth : size.columns, size.b_transposed},
                              size.rows,
                              size.columns,
                              size.depth,
                              c.data(),
                              size.columns};
  double best = 1e30;
  double best_processor = 1e30;
  double best_peak = 0;
  double best_peak_of_one = 0;
  const Clock::time_point begin = Clock::now();
  while (seconds_since(begin) < limit) {
    best_peak_of_one = std::max(best_peak_of_one, peak(loops, 1));
    best_peak = std::max({best_peak, best_peak_of_one, peak(loops, static_cast<int>(threads))});
    const Clock::time_point turn = Clock::now();
    const std::clock_t processor = std::clock();
    int products = 0;
    do {
      const Clock::time_point start = Clock::now();
      if (!multiply({pool, kernels, threads, cancel}, product)) return;
      best = std::min(best, seconds_since(start));
      ++products;
    } while (seconds_since(turn) < 0.05);
    const double used = static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC;
    best_processor = std::min(best_processor, used / products);
  }
  const double operations = 2.0 * static_cast<double>(size.rows * size.columns * size.depth);
  std::printf(
      "{\"product\":\"%s\",\"rows\":%zu,\"columns\":%zu,\"depth\":%zu,\"threads\":%u,\"kernel\":\"%s\","
      "\"microseconds\":%.1f,\"f32OperationsPerSecond\":%.0f,\"peakOperationsPerSecond\":%.0f,"
      "\"share\":%.3f,\"processorShare\":%.3f}\n",
      size.meaning, size.rows, size.columns, size.depth, threads, kernels.matrix_tile.symbol, best * 1e6,
      operations / best, best_peak, operations / best / best_peak,
      operations / best_processor / best_peak_of_one);
}

int run(double limit) {
  KernelChoice choice;
  if (const Status status = choose_kernels(detect_cpu_features(), std::getenv("GRANULE_ISA"), &choice);
      !status.ok()) {
    std::fprintf(stderr, "granule_matrix_product_bench: %s\n", status.message.c_str());
    return 2;
  }
  const RooflineLoops loops = choose_roofline_loops();
  for (const Size& size : kSizes) {
    measure(loops, *choice.table, size, 1, limit);
    const unsigned all = ThreadPool::default_threads();
    if (all > 1) measure(loops, *choice.table, size, all, limit);
  }
  return 0;
}

}  // namespace
}  // namespace granule

int main(int argc, char** argv) {
  const double limit = argc > 1 ? std::atof(argv[1]) : 2;
  if (argc > 2 || !(limit > 0)) {
    std::fprintf(stderr, "usage: granule_matrix_product_bench [seconds per product]\n");
    return 2;
  }
  return granule::run(limit);
}
