#include "binding/errors.h"

#include "binding/addon_instance.h"

namespace granule {

const char* error_code(StatusCode code) {
  switch (code) {
    case StatusCode::aborted:
      return "ABORTED";
    case StatusCode::out_of_memory:
      return "OUT_OF_MEMORY";
    case StatusCode::not_finite:
      return "NOT_FINITE";
    case StatusCode::empty_document:
      return "EMPTY_DOCUMENT";
    case StatusCode::length_mismatch:
      return "LENGTH_MISMATCH";
    case StatusCode::index_full:
      return "INDEX_FULL";
    case StatusCode::index_corrupt:
      return "INDEX_CORRUPT";
    case StatusCode::index_locked:
      return "INDEX_LOCKED";
    case StatusCode::file_not_found:
      return "FILE_NOT_FOUND";
    case StatusCode::file_not_writable:
      return "FILE_NOT_WRITABLE";
    case StatusCode::row_not_found:
      return "ROW_NOT_FOUND";
    case StatusCode::invalid_argument:
      return "INVALID_ARGUMENT";
    case StatusCode::isa_unsupported:
      return "ISA_UNSUPPORTED";
    default:
      return "INTERNAL";
  }
}

Napi::Value to_error(Napi::Env env, const Status& status) {
  Napi::Object details = Napi::Object::New(env);
  if (status.row >= 0) details.Set("row", Napi::Number::New(env, static_cast<double>(status.row)));
  if (status.column >= 0) details.Set("column", Napi::Number::New(env, static_cast<double>(status.column)));
  if (!status.file.empty()) details.Set("file", Napi::String::New(env, status.file));
  return env.GetInstanceData<AddonInstance>()->error_class().New(
      {Napi::String::New(env, error_code(status.code)), Napi::String::New(env, status.message), details});
}

}  // namespace granule
