#include "emulator.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "asynchronous.h"

namespace cuda_emulator {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10;
constexpr std::size_t kMostExchanged = 64;
/// What shared memory holds before a block writes to it: NaN, and no sensible integer.
constexpr unsigned char kNoise = 0xff;

struct Copy {
  void* to;
  const void* from;
  std::size_t bytes;
};

struct Fiber {
  Place place;
  std::unique_ptr<unsigned char[]> stack;
  ucontext_t entry;
  jmp_buf jump;
  bool started;
  bool finished;
  /// The generation of what it waits for; it goes on when that has changed.
  const uint64_t* waits_for;
  uint64_t waited_generation;
  /// Copies by group; the last one is not complete.
  std::deque<std::vector<Copy>> copies;
};

struct Warp {
  uint64_t generation = 0;
  unsigned arrived = 0;
  unsigned live = 0;
  /// Whether it misses a turn.
  bool is_held = false;
  /// What each lane gave, in this exchange and in the one before it, which slower lanes may still read.
  unsigned char given[2][kWarp * kMostExchanged];
};

class BlockRunner {
 public:
  void run(Dim3 grid, Dim3 index, Dim3 size, std::size_t shared_bytes, const std::function<void()>& body,
           Order order) {
    const unsigned count = size.x * size.y * size.z;
    body_ = &body;
    shared_.assign(shared_bytes + kAlignment, kNoise);
    while (fibers_.size() < count) {
      fibers_.push_back(std::make_unique<Fiber>());
      fibers_.back()->stack.reset(new unsigned char[kStackBytes]);
    }
    warps_.assign((count + kWarp - 1) / kWarp, Warp());
    live_ = count;
    arrived_ = 0;
    counted_ = 0;
    for (unsigned t = 0; t < count; ++t) {
      Fiber& fiber = *fibers_[t];
      fiber.place = {{t % size.x, t / size.x % size.y, t / size.x / size.y}, index, size, grid, t};
      fiber.started = fiber.finished = false;
      fiber.waits_for = nullptr;
      fiber.copies.assign(1, {});
      ++warps_[t / kWarp].live;
    }
    begin_block(count, shared_bytes, order);
    order_warps(order);
    for (unsigned left = count; left != 0;) {
      bool progress = false;
      if (order == Order::shuffled) shuffle_warps();
      for (unsigned i = 0; i < count; ++i) {
        const unsigned warp = warp_order_[i / kWarp];
        const unsigned lane = order == Order::backwards ? kWarp - 1 - i % kWarp : i % kWarp;
        Fiber& fiber = *fibers_[warp * kWarp + lane];
        if (fiber.finished) continue;
        if (fiber.waits_for != nullptr && *fiber.waits_for == fiber.waited_generation) continue;
        progress = true;
        if (warps_[warp].is_held) continue;
        fiber.waits_for = nullptr;
        resume(fiber);
        if (fiber.finished) --left;
      }
      if (!progress && !complete_copy()) {
        std::fprintf(stderr, "cuda_emulator: the threads of a block wait for each other for ever\n");
        std::abort();
      }
    }
    end_block();
  }

  Fiber& current() { return *current_; }

  unsigned char* shared() {
    const auto address = reinterpret_cast<uintptr_t>(shared_.data());
    return shared_.data() + (kAlignment - address % kAlignment) % kAlignment;
  }

  int sync(bool predicate) {
    counted_ += predicate ? 1 : 0;
    ++arrived_;
    if (arrived_ == live_) {
      release();
    } else {
      wait(&generation_);
    }
    return last_count_;
  }

  void exchange(const void* own, std::size_t bytes, void* all) {
    if (bytes > kMostExchanged) std::abort();
    Warp& warp = warps_[current_->place.thread / kWarp];
    unsigned char* given = warp.given[warp.generation % 2];
    std::memcpy(given + current_->place.thread % kWarp * bytes, own, bytes);
    if (++warp.arrived == warp.live) {
      warp.arrived = 0;
      ++warp.generation;
    } else {
      wait(&warp.generation);
    }
    std::memcpy(all, given, kWarp * bytes);
  }

  void yield() { suspend(); }

  void wait(const uint64_t* generation) {
    current_->waits_for = generation;
    current_->waited_generation = *generation;
    suspend();
  }

 private:
  static constexpr std::size_t kAlignment = 1024;

  static void enter();

  void resume(Fiber& fiber) {
    current_ = &fiber;
    if (_setjmp(scheduler_) != 0) return;
    if (fiber.started) _longjmp(fiber.jump, 1);
    fiber.started = true;
    getcontext(&fiber.entry);
    fiber.entry.uc_stack.ss_sp = fiber.stack.get();
    fiber.entry.uc_stack.ss_size = kStackBytes;
    fiber.entry.uc_link = nullptr;
    makecontext(&fiber.entry, enter, 0);
    setcontext(&fiber.entry);
  }

  void suspend() {
    if (_setjmp(current_->jump) == 0) _longjmp(scheduler_, 1);
  }

  void order_warps(Order order) {
    warp_order_.resize(warps_.size());
    std::iota(warp_order_.begin(), warp_order_.end(), 0u);
    if (order == Order::backwards) std::reverse(warp_order_.begin(), warp_order_.end());
  }

  /// Another order, in which some warps miss their turn; and a copy may be there before all wait for it.
  void shuffle_warps() {
    std::shuffle(warp_order_.begin(), warp_order_.end(), random_);
    for (Warp& warp : warps_) warp.is_held = random_() % 2 == 0;
    if (random_() % 4 == 0) complete_copy();
  }

  void release() {
    arrived_ = 0;
    last_count_ = counted_;
    counted_ = 0;
    ++generation_;
  }

  [[noreturn]] void finish() {
    current_->finished = true;
    --warps_[current_->place.thread / kWarp].live;
    --live_;
    if (live_ != 0 && arrived_ == live_) release();
    _longjmp(scheduler_, 1);
  }

  const std::function<void()>* body_ = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Warp> warps_;
  std::vector<unsigned char> shared_;
  std::vector<unsigned> warp_order_;
  std::mt19937 random_;
  Fiber* current_ = nullptr;
  jmp_buf scheduler_;
  uint64_t generation_ = 0;
  unsigned live_ = 0;
  unsigned arrived_ = 0;
  int counted_ = 0;
  int last_count_ = 0;
};

BlockRunner& runner() {
  static thread_local BlockRunner instance;
  return instance;
}

void BlockRunner::enter() {
  (*runner().body_)();
  runner().finish();
}

}  // namespace

const Place& place() { return runner().current().place; }

void run_grid(Dim3 grid, Dim3 block, std::size_t shared_bytes, const std::function<void()>& body) {
  constexpr Order kOrders[] = {Order::forwards, Order::backwards, Order::shuffled};
  unsigned blocks = 0;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        runner().run(grid, {x, y, z}, block, shared_bytes, body, kOrders[blocks++ % 3]);
      }
    }
  }
}

unsigned char* shared_memory() { return runner().shared(); }
void sync_block() { runner().sync(false); }
int sync_block_count(bool predicate) { return runner().sync(predicate); }
void exchange(const void* own, std::size_t bytes, void* all) { runner().exchange(own, bytes, all); }
void yield() { runner().yield(); }
void wait_for_change(const uint64_t& generation) { runner().wait(&generation); }

void copy_async(void* to, const void* from, std::size_t bytes) {
  // What is copied to must not be read before: noise shows it.
  std::memset(to, kNoise, bytes);
  runner().current().copies.back().push_back({to, from, bytes});
}

void commit_copies() { runner().current().copies.emplace_back(); }

void wait_for_copies(unsigned pending) {
  std::deque<std::vector<Copy>>& groups = runner().current().copies;
  while (groups.size() > std::size_t{pending} + 1) {
    for (const Copy& copy : groups.front()) std::memcpy(copy.to, copy.from, copy.bytes);
    groups.pop_front();
  }
}

}  // namespace cuda_emulator
