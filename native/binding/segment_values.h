#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "index/segment_writer.h"

namespace granule {

/// NativeWrittenSegment of src/native/addon-types.ts, without what is counted beside rows.
inline Napi::Object written_segment(Napi::Env env, const WrittenSegment& written) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", Napi::Number::New(env, static_cast<double>(written.row_count)));
  result.Set("bytes", Napi::Number::New(env, static_cast<double>(written.bytes)));
  Napi::Uint8Array header = Napi::Uint8Array::New(env, written.header.size());
  std::copy(written.header.begin(), written.header.end(), header.Data());
  result.Set("header", header);
  return result;
}

/// The checksums of a NativeSegmentFile.
inline std::vector<uint32_t> segment_checksums(const Napi::Object& file) {
  const Napi::Uint32Array checksums = file.Get("checksums").As<Napi::Uint32Array>();
  return {checksums.Data(), checksums.Data() + checksums.ElementLength()};
}

}  // namespace granule
