#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "core/status.h"

namespace granule {

/// An open file. Paths are UTF-8. Reading and writing at an offset may be done by several threads at once;
/// short transfers and interruptions are dealt with here. A failed status holds the system's reason, and the
/// file's name without its folder.
class File {
 public:
  File() = default;
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// @return file_not_found where it cannot be opened
  Status open(const std::string& path);
  /// Makes it, or empties the one that is there.
  /// @return file_not_writable
  Status create(const std::string& path);

  /// @return index_corrupt where it ends before that, or cannot be read
  Status read_at(uint64_t offset, void* to, std::size_t bytes) const;
  /// @return file_not_writable
  Status write_at(uint64_t offset, const void* from, std::size_t bytes) const;
  /// @return index_corrupt
  Status size(uint64_t* bytes) const;
  /// Flushes it to the disk.
  /// @return file_not_writable
  Status sync() const;

  const std::string& name() const { return name_; }

 private:
  friend class MappedFile;
  friend class FileLock;
#if defined(_WIN32)
  using Handle = void*;
  static constexpr Handle kNone = nullptr;
#else
  using Handle = int;
  static constexpr Handle kNone = -1;
#endif
  void close();

  Handle handle_ = kNone;
  std::string name_;
};

/// A file's bytes in memory, read from the disk when they are first touched. They outlive the `File`.
class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;

  /// @param bytes the file's size, above 0
  /// @return out_of_memory
  Status map(const File& file, uint64_t bytes);
  const uint8_t* data() const { return static_cast<const uint8_t*>(data_); }

 private:
  void* data_ = nullptr;
  uint64_t bytes_ = 0;
};

/// The only holder of a lock file, among all processes, until it is released or the process ends.
class FileLock {
 public:
  /// Makes the file where there is none.
  ///
  /// @return file_not_writable; index_locked where somebody else holds it
  Status acquire(const std::string& path);
  void release() { file_ = File(); }

 private:
  File file_;
};

}  // namespace granule
