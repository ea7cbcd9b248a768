#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace test_data {

/// SplitMix64: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
  /// Uniform in [-1, 1), with 24 bits.
  float uniform() { return static_cast<float>(static_cast<int64_t>(next() >> 40) - (1 << 23)) / (1 << 23); }

 private:
  uint64_t state_;
};

/// Kinds of vectors that have broken scans before.
enum class Kind { uniform, few_values, all_equal, zeros, huge, tiny, one_huge_dimension, mixed_magnitudes };

inline constexpr Kind kAllKinds[] = {
    Kind::uniform, Kind::few_values, Kind::all_equal,          Kind::zeros,
    Kind::huge,    Kind::tiny,       Kind::one_huge_dimension, Kind::mixed_magnitudes};

inline std::vector<float> vectors(Kind kind, std::size_t count, std::size_t dimension, uint64_t seed) {
  Random random(seed);
  std::vector<float> out(count * dimension);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float u = random.uniform();
    switch (kind) {
      case Kind::uniform:
        out[i] = u;
        break;
      case Kind::few_values:  // many exact ties, and both zeros
        out[i] = static_cast<float>(static_cast<int>(random.below(3)) - 1) * (u < 0 ? -1.0f : 1.0f);
        break;
      case Kind::all_equal:
        out[i] = 0.1f;
        break;
      case Kind::zeros:
        out[i] = u < 0 ? -0.0f : 0.0f;
        break;
      case Kind::huge:  // products overflow float32
        out[i] = u * 1e30f;
        break;
      case Kind::tiny:  // denormal float32, products far below it
        out[i] = u * 1e-40f;
        break;
      case Kind::one_huge_dimension:
        out[i] = i % dimension == dimension / 2 ? u * 1e18f : u;
        break;
      case Kind::mixed_magnitudes:
        out[i] = std::ldexp(u, static_cast<int>(random.below(60)) - 30);
        break;
    }
  }
  return out;
}

}  // namespace test_data
