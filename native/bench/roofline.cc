// What this machine can do at most: bytes read, copied, and given out by the system a second, float32
// operations and int8 operations a second.
//
//     granule_roofline [threads] [MiB of memory to read]
//
// Prints one JSON object. Each figure is the best of several runs of all threads together.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "bench/roofline_loops.h"

namespace granule {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRuns = 5;
constexpr double kArithmeticSeconds = 0.15;
constexpr std::size_t kSmallestPage = 4096;
/// A huge page; also a multiple of what the loops ask for.
constexpr std::size_t kAlignment = std::size_t{2} << 20;

/// Runs `work(thread)` on every thread at once, several times, `prepare` before each.
/// @return the seconds of the fastest run, from the first start to the last end
double fastest(
    int threads, const std::function<void(int)>& work, const std::function<void()>& prepare = [] {}) {
  double best = 1e30;
  for (int run = 0; run < kRuns; ++run) {
    prepare();
    Clock::time_point start;
    std::barrier ready(threads, [&]() noexcept { start = Clock::now(); });
    std::vector<Clock::time_point> ends(static_cast<std::size_t>(threads));
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        ready.arrive_and_wait();
        work(t);
        ends[static_cast<std::size_t>(t)] = Clock::now();
      });
    }
    for (std::thread& worker : workers) worker.join();
    const Clock::time_point end = *std::max_element(ends.begin(), ends.end());
    best = std::min(best, std::chrono::duration<double>(end - start).count());
  }
  return best;
}

double operations_per_second(int threads, std::uint64_t (*loop)(std::uint64_t)) {
  std::uint64_t rounds = 1 << 14;
  for (;;) {
    const Clock::time_point start = Clock::now();
    loop(rounds);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (seconds > kArithmeticSeconds) break;
    rounds *= 2;
  }
  std::uint64_t operations = 0;
  const double seconds = fastest(threads, [&](int t) {
    const std::uint64_t done = loop(rounds);
    if (t == 0) operations = done;
  });
  return static_cast<double>(operations) * threads / seconds;
}

struct FreeAligned {
  void operator()(unsigned char* memory) const { ::operator delete (memory, std::align_val_t{kAlignment}); }
};
using Memory = std::unique_ptr<unsigned char, FreeAligned>;

Memory allocate(std::size_t bytes) {
  Memory memory(static_cast<unsigned char*>(::operator new (bytes, std::align_val_t{kAlignment})));
#if defined(__linux__)
  // Without effect where the system does not offer huge pages; nothing depends on it.
  (void)madvise(memory.get(), bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

int run(int threads, std::size_t mebibytes) {
  const RooflineLoops loops = choose_roofline_loops();
  const auto parts = static_cast<std::size_t>(threads);
  const std::size_t part = (mebibytes << 20) / parts / kAlignment * kAlignment;
  if (part == 0) {
    std::fprintf(stderr, "granule_roofline: %zu MiB are too few for %d threads\n", mebibytes, threads);
    return 2;
  }
  Memory memory;
  // Pages that nobody has touched since the system had them: it clears them, and may have to find them first.
  const double fresh_seconds = fastest(
      threads,
      [&](int t) {
        unsigned char* own = memory.get() + part * static_cast<std::size_t>(t);
        for (std::size_t i = 0; i < part; i += kSmallestPage)
          static_cast<volatile unsigned char*>(own)[i] = 1;
      },
      [&] {
        memory.reset();
        memory = allocate(part * parts);
      });
  // Every thread writes its own part first, so that the pages lie near it.
  fastest(threads, [&](int t) {
    unsigned char* own = memory.get() + part * static_cast<std::size_t>(t);
    std::fill(own, own + part, static_cast<unsigned char>(t + 1));
  });
  const double read_seconds = fastest(threads, [&](int t) {
    const std::uint64_t value = loops.read(memory.get() + part * static_cast<std::size_t>(t), part);
    if (t == 0) roofline_sink = roofline_sink + value;
  });
  const std::size_t half = part / 2;
  const double copy_seconds = fastest(threads, [&](int t) {
    unsigned char* own = memory.get() + part * static_cast<std::size_t>(t);
    loops.copy(own + half, own, half);
  });
  const double bytes = static_cast<double>(part * parts);
  const double f32 = operations_per_second(threads, loops.multiply_add_f32);
  const double int8 = operations_per_second(threads, loops.dot_int8);
  std::printf(
      "{\"threads\":%d,\"isa\":\"%s\",\"int8Instruction\":\"%s\",\"bufferBytes\":%zu,"
      "\"readBytesPerSecond\":%.0f,\"copyBytesPerSecond\":%.0f,\"freshBytesPerSecond\":%.0f,"
      "\"f32OperationsPerSecond\":%.0f,\"int8OperationsPerSecond\":%.0f}\n",
      threads, loops.name, loops.dot_int8_instruction, part * parts, bytes / read_seconds,
      bytes / copy_seconds, bytes / fresh_seconds, f32, int8);
  return 0;
}

}  // namespace
}  // namespace granule

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const int mebibytes = argc > 2 ? std::atoi(argv[2]) : 1024;
  if (argc > 3 || threads < 1 || threads > 4096 || mebibytes < 1) {
    std::fprintf(stderr, "usage: granule_roofline [threads] [MiB of memory to read]\n");
    return 2;
  }
  return granule::run(threads, static_cast<std::size_t>(mebibytes));
}
