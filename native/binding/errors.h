#pragma once

#include <napi.h>

#include "core/status.h"

namespace granule {

/// The published error code of a failure (src/errors.ts).
const char* error_code(StatusCode code);

/// A GranuleError, made by the class that JavaScript handed over. Details carry `row` and `column` where
/// known.
Napi::Value to_error(Napi::Env env, const Status& status);

}  // namespace granule
