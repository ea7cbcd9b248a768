#include "backends/cuda/host_uploads.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "backends/cuda/host_threads.h"

namespace granule::cuda {
namespace {

/// Below this many bytes the driver's own copy is as quick.
constexpr std::size_t kLeastBytes = std::size_t{1} << 20;
/// Bytes pinned at a time: about a millisecond of the bus.
constexpr std::size_t kPieceBytes = std::size_t{32} << 20;
/// Pieces begin and end at borders of large pages, so that no page is in two of them.
constexpr std::size_t kPageBytes = std::size_t{2} << 20;
/// Pieces that are pinned at a time: one is copied while the next is pinned.
constexpr std::size_t kPieces = 2;
/// Of a block that a thread fills.
constexpr std::size_t kBlockBytes = std::size_t{2} << 20;
/// Threads that bring more than any bus takes.
constexpr unsigned kMostThreads = 8;

void stop_if_asked(const granule_search& search) {
  if (search.cancelled(search.cancelled_context) != 0) throw Cancelled();
}

/// Two pinned blocks of a thread: one is filled while the other is copied.
struct Lane {
  ~Lane() { cudaStreamSynchronize(stream); }

  PinnedArray<unsigned char> blocks[2];
  Event copied[2];
  Stream stream;
};

}  // namespace

HostUploads::HostUploads(const granule_search& search, const Stream& stream)
    : search_(search), stream_(stream) {}

HostUploads::~HostUploads() {
  cudaStreamSynchronize(stream_);
  for (const Piece& piece : pieces_) cudaHostUnregister(piece.memory);
  cudaGetLastError();
}

void HostUploads::copy_bytes(const unsigned char* from, std::size_t bytes, unsigned char* to,
                             HostMemory memory) {
  stop_if_asked(search_);
  if (bytes < kLeastBytes) {
    if (bytes == 0) return;
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "a copy to the device failed");
    return;
  }
  const std::size_t done = memory == HostMemory::lasting ? copy_pinned(from, bytes, to) : 0;
  if (done < bytes) copy_staged(from + done, bytes - done, to + done);
}

std::size_t HostUploads::copy_pinned(const unsigned char* from, std::size_t bytes, unsigned char* to) {
  for (std::size_t at = 0; at < bytes;) {
    if (!pins_) return at;
    stop_if_asked(search_);
    const auto address = reinterpret_cast<uintptr_t>(from + at);
    const std::size_t border = (address + kPieceBytes) / kPageBytes * kPageBytes - address;
    const std::size_t own = std::min(bytes - at, border);
    // The call is the same for memory that is only read.
    auto* const memory = const_cast<unsigned char*>(from + at);
    if (cudaHostRegister(memory, own, cudaHostRegisterDefault) != cudaSuccess) {
      cudaGetLastError();
      pins_ = false;
      return at;
    }
    try {
      pieces_.push_back({memory, Event()});
    } catch (...) {
      cudaHostUnregister(memory);
      throw;
    }
    check(cudaMemcpyAsync(to + at, memory, own, cudaMemcpyHostToDevice, stream_),
          "a copy to the device failed");
    pieces_.back().copied.record(stream_);
    while (pieces_.size() >= kPieces) unpin_first();
    at += own;
  }
  return bytes;
}

void HostUploads::unpin_first() {
  pieces_.front().copied.wait();
  check(cudaHostUnregister(pieces_.front().memory), "the device failed");
  pieces_.pop_front();
}

void HostUploads::copy_staged(const unsigned char* from, std::size_t bytes, unsigned char* to) {
  int device = 0;
  check(cudaGetDevice(&device), "the device is unknown");
  const std::size_t blocks = (bytes + kBlockBytes - 1) / kBlockBytes;
  std::atomic<std::size_t> next{0};
  run_on_threads(std::min<std::size_t>({search_.threads, kMostThreads, blocks}), [&](std::size_t) {
    check(cudaSetDevice(device), "the device could not be used");
    Lane lane;
    for (PinnedArray<unsigned char>& block : lane.blocks) block.grow_to(kBlockBytes);
    std::size_t turn = 0;
    for (std::size_t b = next++; b < blocks; b = next++, turn = 1 - turn) {
      stop_if_asked(search_);
      const std::size_t at = b * kBlockBytes;
      const std::size_t own = std::min(kBlockBytes, bytes - at);
      lane.copied[turn].wait();
      std::memcpy(lane.blocks[turn].data(), from + at, own);
      check(cudaMemcpyAsync(to + at, lane.blocks[turn].data(), own, cudaMemcpyHostToDevice, lane.stream),
            "a copy to the device failed");
      lane.copied[turn].record(lane.stream);
    }
    lane.stream.wait();
  });
}

void HostUploads::wait() {
  while (!pieces_.empty()) unpin_first();
  stream_.wait();
}

}  // namespace granule::cuda
