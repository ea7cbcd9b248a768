#include "core/file.h"

#include <algorithm>
#include <system_error>

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>

#include <filesystem>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace granule {
namespace {

/// Most bytes of one call to the system: some refuse more than 2^31.
constexpr std::size_t kMostTransfer = 1 << 30;

std::string name_of(const std::string& path) {
#if defined(_WIN32)
  const std::size_t slash = path.find_last_of("/\\");
#else
  const std::size_t slash = path.find_last_of('/');
#endif
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

int last_error() {
#if defined(_WIN32)
  return static_cast<int>(GetLastError());
#else
  return errno;
#endif
}

Status failure(StatusCode code, const std::string& name, const char* what) {
  const std::string reason = std::system_category().message(last_error());
  return Status::of_file(code, name, std::string(what) + ": " + reason);
}

}  // namespace

File::~File() { close(); }

File::File(File&& other) noexcept
    : handle_(std::exchange(other.handle_, kNone)), name_(std::move(other.name_)) {}

File& File::operator=(File&& other) noexcept {
  if (this == &other) return *this;
  close();
  handle_ = std::exchange(other.handle_, kNone);
  name_ = std::move(other.name_);
  return *this;
}

#if defined(_WIN32)

namespace {

/// A place in a file, as calls of Windows want it.
OVERLAPPED place(uint64_t offset) {
  OVERLAPPED out{};
  out.Offset = static_cast<DWORD>(offset);
  out.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return out;
}

/// Others may delete a file that is open here, as on other systems.
void* open_handle(const std::string& path, DWORD access, DWORD how) {
  const std::u8string text(path.begin(), path.end());
  const HANDLE handle = CreateFileW(std::filesystem::path(text).c_str(), access,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, how,
                                    FILE_ATTRIBUTE_NORMAL, nullptr);
  return handle == INVALID_HANDLE_VALUE ? nullptr : handle;
}

}  // namespace

void File::close() {
  if (handle_ != kNone) CloseHandle(handle_);
  handle_ = kNone;
}

Status File::open(const std::string& path) {
  close();
  name_ = name_of(path);
  handle_ = open_handle(path, GENERIC_READ, OPEN_EXISTING);
  return handle_ != kNone ? Status::success()
                          : failure(StatusCode::file_not_found, name_, "cannot be opened");
}

Status File::create(const std::string& path) {
  close();
  name_ = name_of(path);
  handle_ = open_handle(path, GENERIC_READ | GENERIC_WRITE, CREATE_ALWAYS);
  return handle_ != kNone ? Status::success()
                          : failure(StatusCode::file_not_writable, name_, "cannot be made");
}

Status File::read_at(uint64_t offset, void* to, std::size_t bytes) const {
  auto* at = static_cast<uint8_t*>(to);
  while (bytes > 0) {
    OVERLAPPED where = place(offset);
    DWORD done = 0;
    if (!ReadFile(handle_, at, static_cast<DWORD>(std::min(bytes, kMostTransfer)), &done, &where) &&
        GetLastError() != ERROR_HANDLE_EOF)
      return failure(StatusCode::index_corrupt, name_, "cannot be read");
    if (done == 0) return Status::of_file(StatusCode::index_corrupt, name_, "ends too early");
    at += done;
    offset += done;
    bytes -= done;
  }
  return Status::success();
}

Status File::write_at(uint64_t offset, const void* from, std::size_t bytes) const {
  const auto* at = static_cast<const uint8_t*>(from);
  while (bytes > 0) {
    OVERLAPPED where = place(offset);
    DWORD done = 0;
    if (!WriteFile(handle_, at, static_cast<DWORD>(std::min(bytes, kMostTransfer)), &done, &where))
      return failure(StatusCode::file_not_writable, name_, "cannot be written");
    at += done;
    offset += done;
    bytes -= done;
  }
  return Status::success();
}

Status File::size(uint64_t* bytes) const {
  LARGE_INTEGER out;
  if (!GetFileSizeEx(handle_, &out)) return failure(StatusCode::index_corrupt, name_, "cannot be read");
  *bytes = static_cast<uint64_t>(out.QuadPart);
  return Status::success();
}

Status File::sync() const {
  return FlushFileBuffers(handle_)
             ? Status::success()
             : failure(StatusCode::file_not_writable, name_, "cannot be flushed to the disk");
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
}

Status MappedFile::map(const File& file, uint64_t bytes) {
  const HANDLE mapping = CreateFileMappingW(file.handle_, nullptr, PAGE_READONLY, 0, 0, nullptr);
  if (mapping != nullptr) {
    data_ = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, static_cast<SIZE_T>(bytes));
    CloseHandle(mapping);
  }
  bytes_ = bytes;
  return data_ != nullptr ? Status::success()
                          : failure(StatusCode::out_of_memory, file.name_, "cannot be mapped");
}

Status FileLock::acquire(const std::string& path) {
  release();
  File file;
  file.name_ = name_of(path);
  file.handle_ = open_handle(path, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
  if (file.handle_ == File::kNone)
    return failure(StatusCode::file_not_writable, file.name_, "cannot be made");
  OVERLAPPED start{};
  if (!LockFileEx(file.handle_, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &start)) {
    return GetLastError() == ERROR_LOCK_VIOLATION
               ? Status::of_file(StatusCode::index_locked, file.name_, "is locked")
               : failure(StatusCode::file_not_writable, file.name_, "cannot be locked");
  }
  file_ = std::move(file);
  return Status::success();
}

#else

void File::close() {
  if (handle_ != kNone) ::close(handle_);
  handle_ = kNone;
}

Status File::open(const std::string& path) {
  close();
  name_ = name_of(path);
  handle_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return handle_ != kNone ? Status::success()
                          : failure(StatusCode::file_not_found, name_, "cannot be opened");
}

Status File::create(const std::string& path) {
  close();
  name_ = name_of(path);
  handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return handle_ != kNone ? Status::success()
                          : failure(StatusCode::file_not_writable, name_, "cannot be made");
}

Status File::read_at(uint64_t offset, void* to, std::size_t bytes) const {
  auto* at = static_cast<uint8_t*>(to);
  while (bytes > 0) {
    const ssize_t done = pread(handle_, at, std::min(bytes, kMostTransfer), static_cast<off_t>(offset));
    if (done < 0) {
      if (errno == EINTR) continue;
      return failure(StatusCode::index_corrupt, name_, "cannot be read");
    }
    if (done == 0) return Status::of_file(StatusCode::index_corrupt, name_, "ends too early");
    at += done;
    offset += static_cast<uint64_t>(done);
    bytes -= static_cast<std::size_t>(done);
  }
  return Status::success();
}

Status File::write_at(uint64_t offset, const void* from, std::size_t bytes) const {
  const auto* at = static_cast<const uint8_t*>(from);
  while (bytes > 0) {
    const ssize_t done = pwrite(handle_, at, std::min(bytes, kMostTransfer), static_cast<off_t>(offset));
    if (done < 0) {
      if (errno == EINTR) continue;
      return failure(StatusCode::file_not_writable, name_, "cannot be written");
    }
    at += done;
    offset += static_cast<uint64_t>(done);
    bytes -= static_cast<std::size_t>(done);
  }
  return Status::success();
}

Status File::size(uint64_t* bytes) const {
  struct stat facts {};
  if (fstat(handle_, &facts) != 0) return failure(StatusCode::index_corrupt, name_, "cannot be read");
  *bytes = static_cast<uint64_t>(facts.st_size);
  return Status::success();
}

Status File::sync() const {
#if defined(__APPLE__)
  // fsync of macOS leaves the bytes in the drive's cache.
  if (fcntl(handle_, F_FULLFSYNC) == 0) return Status::success();
#endif
  int result;
  do {
    result = fsync(handle_);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? Status::success()
                     : failure(StatusCode::file_not_writable, name_, "cannot be flushed to the disk");
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, static_cast<std::size_t>(bytes_));
}

Status MappedFile::map(const File& file, uint64_t bytes) {
  void* data = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ, MAP_SHARED, file.handle_, 0);
  if (data == MAP_FAILED) return failure(StatusCode::out_of_memory, file.name_, "cannot be mapped");
  data_ = data;
  bytes_ = bytes;
  return Status::success();
}

Status FileLock::acquire(const std::string& path) {
  release();
  File file;
  file.name_ = name_of(path);
  file.handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file.handle_ == File::kNone)
    return failure(StatusCode::file_not_writable, file.name_, "cannot be made");
  int result;
  do {
    result = flock(file.handle_, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    return errno == EWOULDBLOCK ? Status::of_file(StatusCode::index_locked, file.name_, "is locked")
                                : failure(StatusCode::file_not_writable, file.name_, "cannot be locked");
  }
  file_ = std::move(file);
  return Status::success();
}

#endif

}  // namespace granule
