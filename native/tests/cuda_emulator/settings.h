#pragma once

#include <cstddef>
#include <cstdint>

namespace cuda_emulator {

/// The emulated machine.
struct Settings {
  int devices = 1;
  int major = 9;
  int minor = 0;
  /// Of each device.
  std::size_t memory_bytes = std::size_t{1} << 30;
  int multiprocessors = 2;
  /// Every launch fails from this one on, counted from now; negative: none does.
  int64_t launches_until_failure = -1;
  /// Sums of a warpgroup's multiplications come out wrong.
  bool multiplies_wrongly = false;
};

}  // namespace cuda_emulator
