#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cuda_emulator {

/// A number that tests and the emulator's threads change.
template <typename T>
struct Shared : std::atomic<T> {
  using std::atomic<T>::operator=;
  Shared(T value) : std::atomic<T>(value) {}
  Shared(const Shared& other) : std::atomic<T>(other.load()) {}
  Shared& operator=(const Shared& other) {
    this->store(other.load());
    return *this;
  }
};

/// The emulated machine.
struct Settings {
  int devices = 1;
  int major = 9;
  int minor = 0;
  /// Of each device.
  Shared<std::size_t> memory_bytes = std::size_t{1} << 30;
  /// How fast it is: twice the clock, the bus's width each time.
  int memory_kilohertz = 3'000'000;
  int memory_bits = 4096;
  int multiprocessors = 2;
  /// Every launch fails from this one on, counted from now; negative: none does.
  int64_t launches_until_failure = -1;
  /// Sums of a warpgroup's multiplications come out wrong.
  bool multiplies_wrongly = false;
  /// The device of this launch, counted from now, is lost when the launch comes to run; negative: none is.
  int64_t launches_until_loss = -1;
  /// Devices that are lost, one bit each: all their calls give the error `loss`.
  Shared<unsigned> lost_devices = 0u;
  int loss = 700;
  /// Whether memory of the host can be registered.
  bool registers = true;
};

/// What has been asked of the devices, counted up.
struct Traffic {
  std::atomic<uint64_t> bytes_to_device{0};
  std::atomic<uint64_t> bytes_from_device{0};
  /// Copies, fills and kernels put on streams, except those that a graph replays.
  std::atomic<uint64_t> operations{0};
  /// Graphs launched.
  std::atomic<uint64_t> submissions{0};
  std::atomic<uint64_t> waits{0};
  /// Graphs made.
  std::atomic<uint64_t> graphs{0};
  /// Bytes of the host's memory that were registered.
  std::atomic<uint64_t> registered_bytes{0};
  /// Bytes copied to devices from memory that they cannot read by themselves.
  std::atomic<uint64_t> pageable_bytes{0};
};

}  // namespace cuda_emulator
