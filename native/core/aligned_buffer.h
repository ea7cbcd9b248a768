#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(_WIN32)
#include <malloc.h>
#else
#include <sys/mman.h>
#endif

namespace granule {

/// Uninitialised memory at a cache line's border. Pages that are never written are never resident. Large
/// buffers come from the system and go back to it at once: the C library's allocator would keep what is freed
/// to it.
template <typename T>
class AlignedBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t count) : count_(count) {
    if (count == 0) return;
    if (count > (static_cast<std::size_t>(-1) - kAlignment) / sizeof(T)) throw std::bad_alloc();
    const std::size_t bytes = allocated_bytes(count * sizeof(T));
    void* memory = allocate(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    data_ = std::unique_ptr<T[], Free>(static_cast<T*>(memory), Free{bytes});
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  static constexpr std::size_t kMapBytes = 1 << 20;
  static constexpr std::size_t kHugePageBytes = 2 << 20;

  /// Linux puts a mapping at a border of huge pages where its size is a multiple of theirs.
  static std::size_t mapped_bytes(std::size_t bytes) {
    return (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  }

#if defined(__SANITIZE_ADDRESS__)
  /// To the byte: what is written behind the last number is seen.
  static std::size_t allocated_bytes(std::size_t bytes) { return bytes; }
#else
  /// Whole cache lines.
  static std::size_t allocated_bytes(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
#endif

  static void* allocate(std::size_t bytes) {
#if defined(_WIN32)
    return _aligned_malloc(bytes, kAlignment);
#else
    void* small = nullptr;
    if (bytes < kMapBytes) return posix_memalign(&small, kAlignment, bytes) == 0 ? small : nullptr;
    void* memory =
        mmap(nullptr, mapped_bytes(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
    // Fewer page faults while rows are added and fewer address translations while they are scanned; refused
    // is fine. The last one only where it is nearly full: all of it would be resident.
    const std::size_t unused = mapped_bytes(bytes) - bytes;
    madvise(memory, unused * 64 <= bytes ? mapped_bytes(bytes) : bytes / kHugePageBytes * kHugePageBytes,
            MADV_HUGEPAGE);
#endif
    return memory;
#endif
  }

  struct Free {
    std::size_t bytes = 0;
    void operator()(T* memory) const {
#if defined(_WIN32)
      _aligned_free(memory);
#else
      if (bytes < kMapBytes) {
        std::free(memory);
      } else {
        munmap(memory, mapped_bytes(bytes));
      }
#endif
    }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t count_ = 0;
};

}  // namespace granule
