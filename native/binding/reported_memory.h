#pragma once

#include <napi.h>

#include <cstdint>

namespace granule {

/// The memory behind an object that V8 knows of.
class ReportedMemory {
 public:
  /// Tells V8 how the memory has shrunk, or that it has grown several times over since the last report: a
  /// large index is reported a few times, not with every add.
  void update(Napi::Env env, int64_t bytes) {
    // Every 64 MiB that V8 hears of make it collect garbage, milliseconds on the JavaScript thread.
    const bool little_more = bytes > reported_ && bytes < kReportedGrowth * reported_;
    if (bytes == reported_ || little_more) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes - reported_);
    reported_ = bytes;
  }

 private:
  static constexpr int64_t kReportedGrowth = 4;

  int64_t reported_ = 0;
};

}  // namespace granule
