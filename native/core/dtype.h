#pragma once

#include <cstddef>
#include <cstdint>

namespace granule {

/// How stored vectors keep their numbers. What is kept is the truth: scores are those of the kept values. The
/// values are part of the backend interface and of the JavaScript border.
enum class Dtype : int32_t { f32 = 0, f16 = 1, bf16 = 2 };

constexpr std::size_t bytes_of(Dtype dtype) { return dtype == Dtype::f32 ? 4 : 2; }

}  // namespace granule
