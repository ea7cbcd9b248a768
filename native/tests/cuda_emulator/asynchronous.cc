#include "asynchronous.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

#include "cuda_runtime.h"
#include "emulator.h"

namespace cuda_emulator {
namespace {

constexpr unsigned kWarpgroup = 128;
constexpr unsigned kNamedBarriers = 16;
constexpr unsigned char kNoise = 0xff;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "cuda_emulator: %s\n", what);
  std::abort();
}

/// A barrier as it lies in shared memory.
struct Barrier {
  /// That were announced and have not come.
  int32_t bytes;
  uint8_t arrivals;
  uint8_t missing_arrivals;
  /// Of the phase that goes on.
  uint8_t parity;
  uint8_t state;
};
static_assert(sizeof(Barrier) == sizeof(uint64_t));
constexpr uint8_t kMade = 0x51;
constexpr uint8_t kPublished = 0x52;

struct BulkCopy {
  void* to;
  const void* from;
  std::size_t bytes;
  uint64_t* barrier;
};

struct Multiplication {
  unsigned columns;
  uint64_t rows;
  uint64_t queries;
  bool add;
};

/// Of one thread.
struct Thread {
  std::vector<uint64_t*> made_barriers;
  bool may_multiply = false;
  /// Whether it multiplied without having said that it may.
  bool is_spoilt = false;
  /// Where the thread has its sums, and what they will be.
  int* sums = nullptr;
  std::vector<int> values;
  /// By group; the last one is not complete.
  std::deque<std::vector<Multiplication>> groups{1};
};

struct NamedBarrier {
  uint64_t generation = 0;
  unsigned threads = 0;
  unsigned arrived = 0;
};

struct Block {
  std::vector<Thread> threads;
  std::deque<BulkCopy> copies;
  NamedBarrier named[kNamedBarriers];
  /// Changes with every phase that ends.
  uint64_t phases = 0;
  bool last_copy_first = false;
  /// Whether a thread has changed something of its own.
  bool used = false;
  std::size_t shared_bytes = 0;
};

Block& block() {
  static thread_local Block instance;
  return instance;
}

Thread& thread() {
  block().used = true;
  return block().threads[place().thread];
}

Barrier load(const uint64_t* barrier) {
  Barrier out;
  std::memcpy(&out, barrier, sizeof out);
  if (out.state != kMade && out.state != kPublished) fail("a barrier is used that was not made");
  return out;
}

void store(uint64_t* barrier, Barrier state) {
  if (state.missing_arrivals == 0 && state.bytes == 0) {
    state.parity ^= 1;
    state.missing_arrivals = state.arrivals;
    ++block().phases;
  }
  std::memcpy(barrier, &state, sizeof state);
}

/// The 16 bytes of a row (or query) in a core matrix of an operand.
const int8_t* operand_chunk(uint64_t operand, unsigned row, unsigned chunk) {
  if ((operand & 0xffffc000c000c000u) != 0) fail("an operand has bits that are not modelled");
  const auto field = [operand](unsigned shift) { return (operand >> shift & 0x3fffu) << 4; };
  const std::size_t offset = field(0) + chunk * field(16) + row / 8 * field(32) + row % 8 * 16;
  if (offset + 16 > block().shared_bytes) fail("an operand lies outside of the block's shared memory");
  return reinterpret_cast<const int8_t*>(shared_memory() + offset);
}

int dot_of_chunk(const int8_t* a, const int8_t* b) {
  int sum = 0;
  for (unsigned k = 0; k < 16; ++k) sum += a[k] * b[k];
  return sum;
}

void multiply(const Multiplication& given, unsigned thread_of_group, std::vector<int>* values) {
  const unsigned lane = thread_of_group % kWarp;
  const unsigned first_row = thread_of_group / kWarp * 16 + lane / 4;
  const int8_t* rows[2][2];
  for (unsigned half = 0; half < 2; ++half) {
    for (unsigned chunk = 0; chunk < 2; ++chunk)
      rows[half][chunk] = operand_chunk(given.rows, first_row + 8 * half, chunk);
  }
  for (unsigned i = 0; i < given.columns / 2; i += 4) {
    for (unsigned side = 0; side < 2; ++side) {
      const unsigned query = 2 * i + lane % 4 * 2 + side;
      const int8_t* const first = operand_chunk(given.queries, query, 0);
      const int8_t* const second = operand_chunk(given.queries, query, 1);
      for (unsigned half = 0; half < 2; ++half) {
        int& value = (*values)[i + 2 * half + side];
        value = (given.add ? value : 0) + dot_of_chunk(rows[half][0], first) +
                dot_of_chunk(rows[half][1], second);
      }
    }
  }
  if (settings().multiplies_wrongly && thread_of_group == 37) ++(*values)[3];
}

}  // namespace

void begin_block(unsigned threads, std::size_t shared_bytes, Order order) {
  if (block().used || block().threads.size() < threads) block().threads.assign(threads, Thread());
  block().used = false;
  block().shared_bytes = shared_bytes;
  block().last_copy_first = order == Order::backwards;
}

bool complete_copy() {
  std::deque<BulkCopy>& copies = block().copies;
  if (copies.empty()) return false;
  const BulkCopy copy = block().last_copy_first ? copies.back() : copies.front();
  if (block().last_copy_first) {
    copies.pop_back();
  } else {
    copies.pop_front();
  }
  std::memcpy(copy.to, copy.from, copy.bytes);
  Barrier state = load(copy.barrier);
  state.bytes -= static_cast<int32_t>(copy.bytes);
  store(copy.barrier, state);
  return true;
}

void end_block() {
  if (!block().copies.empty()) fail("a block has ended before its copies");
  for (const Thread& each : block().threads) {
    if (each.sums != nullptr) fail("a thread has ended before its multiplications");
  }
}

void sync_threads(unsigned id, unsigned threads) {
  if (id == 0 || id >= kNamedBarriers || threads == 0 || threads % kWarp != 0)
    fail("a barrier of some threads has a wrong number");
  NamedBarrier& barrier = block().named[id];
  if (barrier.arrived == 0) barrier.threads = threads;
  if (barrier.threads != threads) fail("threads disagree on how many a barrier has");
  if (++barrier.arrived == threads) {
    barrier.arrived = 0;
    ++barrier.generation;
  } else {
    wait_for_change(barrier.generation);
  }
}

void init_barrier(uint64_t* barrier, unsigned arrivals) {
  if (arrivals == 0 || arrivals > 255) fail("a barrier has a number of arrivals that is not modelled");
  const Barrier state{0, static_cast<uint8_t>(arrivals), static_cast<uint8_t>(arrivals), 0, kMade};
  std::memcpy(barrier, &state, sizeof state);
  thread().made_barriers.push_back(barrier);
}

void publish_barriers() {
  for (uint64_t* const barrier : thread().made_barriers) {
    Barrier state = load(barrier);
    state.state = kPublished;
    std::memcpy(barrier, &state, sizeof state);
  }
  thread().made_barriers.clear();
}

void arrive(uint64_t* barrier, unsigned bytes) {
  Barrier state = load(barrier);
  constexpr int32_t kMostBytes = (1 << 20) - 1;
  if (bytes > static_cast<unsigned>(kMostBytes - state.bytes)) fail("a barrier expects too many bytes");
  state.bytes += static_cast<int32_t>(bytes);
  --state.missing_arrivals;
  store(barrier, state);
}

void wait_for_phase(uint64_t* barrier, unsigned parity) {
  while (load(barrier).parity == parity) wait_for_change(block().phases);
}

void check_bulk(const void* from, std::size_t bytes) {
  if (bytes == 0 || bytes % 16 != 0 || reinterpret_cast<uintptr_t>(from) % 16 != 0)
    fail("a bulk copy is not made of 16 bytes at borders of 16 bytes");
}

void copy_bulk(void* to, const void* from, std::size_t bytes, uint64_t* barrier) {
  check_bulk(from, bytes);
  check_bulk(to, bytes);
  if (load(barrier).state != kPublished) fail("a bulk copy does not see its barrier");
  std::memset(to, kNoise, bytes);
  block().copies.push_back({to, from, bytes, barrier});
}

void begin_multiplications() { thread().may_multiply = true; }

void multiply_async(int* sums, unsigned columns, uint64_t rows, uint64_t queries, bool add) {
  const uint64_t own[2] = {rows, queries};
  uint64_t all[kWarp][2];
  exchange(own, sizeof own, all);
  for (const uint64_t(&other)[2] : all) {
    if (other[0] != rows || other[1] != queries) fail("the lanes of a warp multiply different operands");
  }
  Thread& self = thread();
  if (self.sums == nullptr) {
    self.sums = sums;
    self.values.assign(sums, sums + columns / 2);
    self.is_spoilt = !self.may_multiply;
    self.may_multiply = false;
    std::memset(sums, kNoise, columns / 2 * sizeof(int));
  } else if (self.sums != sums) {
    fail("multiplications into several sums at a time are not modelled");
  }
  self.groups.back().push_back({columns, rows, queries, add});
}

void commit_multiplications() { thread().groups.emplace_back(); }

void wait_for_multiplications(unsigned pending) {
  Thread& self = thread();
  while (self.groups.size() > std::size_t{pending} + 1) {
    for (const Multiplication& each : self.groups.front())
      multiply(each, place().thread % kWarpgroup, &self.values);
    self.groups.pop_front();
  }
  if (self.sums != nullptr && self.groups.size() == 1 && self.groups.back().empty()) {
    if (!self.is_spoilt) std::memcpy(self.sums, self.values.data(), self.values.size() * sizeof(int));
    self.sums = nullptr;
  }
  __syncwarp();
}

}  // namespace cuda_emulator
