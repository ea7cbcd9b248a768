// Runs CUDA kernels on the processor, so that their logic is tested where there is no device. Every CUDA
// thread is a fiber; blocks run one after another. A fiber runs until it meets a barrier or an exchange with
// its warp, and the order in which fibers get their turns differs from block to block: what a kernel leaves
// to chance comes out differently. Memory is the host's. What a device does at the same time is not modelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace cuda_emulator {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr Dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

constexpr unsigned kWarp = 32;

/// Where the running fiber is.
struct Place {
  Dim3 thread_index;
  Dim3 block_index;
  Dim3 block_size;
  Dim3 grid_size;
  /// Counted through the block.
  unsigned thread;
};
const Place& place();

/// Runs `body` once for each thread of each block.
void run_grid(Dim3 grid, Dim3 block, std::size_t shared_bytes, const std::function<void()>& body);

/// The block's dynamic shared memory, filled with noise before each block.
unsigned char* shared_memory();

/// Waits for all threads of the block that have not ended.
void sync_block();

/// As sync_block; the number of threads for which `predicate` holds.
int sync_block_count(bool predicate);

/// Gives `bytes` of each lane to all lanes of the warp: `all` receives kWarp of them. Every lane must take
/// part.
void exchange(const void* own, std::size_t bytes, void* all);

/// Lets the others of the block have a turn: for loops that wait for what another thread writes.
void yield();

/// Copies that a thread starts and waits for later: nothing is copied before it waits.
void copy_async(void* to, const void* from, std::size_t bytes);
/// Ends a group of the thread's copies.
void commit_copies();
/// Does all but the last `pending` groups.
void wait_for_copies(unsigned pending);

// --- What needs compute capability 9.0 (asynchronous.cc) ---

/// Waits for `threads` threads that come to the barrier `id`.
void sync_threads(unsigned id, unsigned threads);

/// A barrier in shared memory, of so many arrivals in each phase.
void init_barrier(uint64_t* barrier, unsigned arrivals);
/// Shows the barriers that the thread has made to copies: none can complete on another.
void publish_barriers();
/// Arrives, after having announced bytes.
void arrive(uint64_t* barrier, unsigned bytes);
void wait_for_phase(uint64_t* barrier, unsigned parity);

/// A copy that completes on a barrier. It happens when no thread of the block can go on without it, the order
/// of copies differing from block to block; noise lies where it goes to from the moment on that it starts.
void copy_bulk(void* to, const void* from, std::size_t bytes, uint64_t* barrier);
/// Ends the process where bulk copies cannot take these bytes.
void check_bulk(const void* from, std::size_t bytes);

/// Lets the thread's next multiplications change sums that it has used; without this they leave noise.
void begin_multiplications();
/// A thread's share of a multiplication of a warpgroup. It happens, and reads shared memory, when it is
/// waited for; until all of them were waited for the sums are noise.
void multiply_async(int* sums, unsigned columns, uint64_t rows, uint64_t queries, bool add);
/// Ends a group of multiplications.
void commit_multiplications();
/// Does all but the last `pending` groups, together with the rest of the warp.
void wait_for_multiplications(unsigned pending);

}  // namespace cuda_emulator
