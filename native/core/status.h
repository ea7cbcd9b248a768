#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace granule {

/// What can go wrong below the binding. Each value but `ok` is one published error code (binding/errors.h).
enum class StatusCode : uint8_t {
  ok,
  aborted,
  out_of_memory,
  not_finite,
  empty_document,
  length_mismatch,
  index_full,
  index_corrupt,
  index_locked,
  file_not_found,
  file_not_writable,
  row_not_found,
  invalid_argument,
  isa_unsupported,
  internal,
};

/// The outcome of an operation. No exception leaves the native code: failures travel as a Status.
struct Status {
  StatusCode code = StatusCode::ok;
  std::string message;
  /// Where the failure lies in the caller's data; negative where that says nothing.
  int64_t row = -1;
  int64_t column = -1;
  /// The file that is at fault, without its folder; empty where none is.
  std::string file = {};

  bool ok() const { return code == StatusCode::ok; }

  static Status success() { return {}; }
  static Status failure(StatusCode code, std::string message, int64_t row = -1, int64_t column = -1) {
    return {code, std::move(message), row, column};
  }
  /// @param what is wrong with the file: the message is its name and this
  static Status of_file(StatusCode code, const std::string& file, const std::string& what) {
    return {code, file + " " + what, -1, -1, file};
  }
};

}  // namespace granule
