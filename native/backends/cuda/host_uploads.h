#pragma once

#include <cstddef>
#include <deque>

#include "backends/backend.h"
#include "backends/cuda/device_memory.h"

namespace granule::cuda {

/// How long memory of the host stays where it is.
enum class HostMemory {
  /// That of an index in memory: it may be pinned for as long as it is copied.
  lasting,
  /// Mapped from a file, or about to go.
  passing
};

/// Copies from the host's memory to a device's at the rate of the bus. The system may move pages while they
/// are copied: a driver that is given such memory copies it once more, on one thread. Lasting memory is
/// pinned instead, piece by piece while the piece before is copied; where that is refused, and for other
/// memory, some threads fill blocks that are pinned already.
class HostUploads {
 public:
  /// @param search says how many threads there are, and when to stop
  /// @param stream on which the copies happen, before what is put there later
  HostUploads(const granule_search& search, const Stream& stream);
  /// Waits for what is on its way.
  ~HostUploads();
  HostUploads(const HostUploads&) = delete;
  HostUploads& operator=(const HostUploads&) = delete;

  /// @param from stays as it is until `wait` or the destructor has returned
  /// @throws CudaFailure, Cancelled
  template <typename T>
  void copy(const T* from, std::size_t count, T* to, HostMemory memory) {
    copy_bytes(reinterpret_cast<const unsigned char*>(from), count * sizeof(T),
               reinterpret_cast<unsigned char*>(to), memory);
  }

  /// Until all copies have happened, and what was put on the stream between them.
  void wait();

 private:
  /// A pinned piece, and when it has been copied.
  struct Piece {
    void* memory;
    Event copied;
  };

  void copy_bytes(const unsigned char* from, std::size_t bytes, unsigned char* to, HostMemory memory);
  /// @return bytes copied from the front: fewer than all where memory cannot be pinned
  std::size_t copy_pinned(const unsigned char* from, std::size_t bytes, unsigned char* to);
  void copy_staged(const unsigned char* from, std::size_t bytes, unsigned char* to);
  void unpin_first();

  const granule_search& search_;
  const Stream& stream_;
  bool pins_ = true;
  std::deque<Piece> pieces_;
};

}  // namespace granule::cuda
