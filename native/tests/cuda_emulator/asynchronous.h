// What of a block happens beside its threads: bulk copies, and the multiplications of warpgroups. Between the
// runner of blocks (emulator.cc) and asynchronous.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cuda_emulator {

/// The running fiber goes on when the number has changed.
void wait_for_change(const uint64_t& generation);

/// In which the threads of a block get their turns: by number; the last first; or warps as chance has it.
enum class Order { forwards, backwards, shuffled };

/// A block of so many threads, with so much shared memory, begins.
void begin_block(unsigned threads, std::size_t shared_bytes, Order order);

/// Completes one of the bulk copies that are under way; false where none is.
bool complete_copy();

/// The block's threads have ended. Ends the process where something is still under way.
void end_block();

}  // namespace cuda_emulator
