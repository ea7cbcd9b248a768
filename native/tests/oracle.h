#pragma once

// The slow, obvious reference that every fast path is held to, bit for bit (what "exact" means:
// docs/architecture.md). It shares no code with the engine.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

namespace oracle {

inline double dot(const float* a, const float* b, std::size_t dimension) {
  double lane[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < dimension; ++i) {
    volatile double product = static_cast<double>(a[i]) * static_cast<double>(b[i]);
    lane[i % 8] = lane[i % 8] + product;
  }
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/// metric: 0 inner product, 1 cosine (of vectors that are normalised already), 2 negated squared distance.
inline float score(int metric, const float* query, const float* row, std::size_t dimension) {
  const double product = dot(query, row, dimension);
  if (metric != 2) return static_cast<float>(product);
  return static_cast<float>((2.0 * product - dot(row, row, dimension)) - dot(query, query, dimension));
}

inline std::vector<float> normalised(const std::vector<float>& vectors, std::size_t dimension) {
  std::vector<float> out(vectors);
  for (std::size_t v = 0; v + dimension <= out.size(); v += dimension) {
    const double norm = std::sqrt(dot(&vectors[v], &vectors[v], dimension));
    if (norm == 0) continue;
    for (std::size_t i = 0; i < dimension; ++i) {
      out[v + i] = static_cast<float>(static_cast<double>(vectors[v + i]) / norm);
    }
  }
  return out;
}

/// The nearest number of `fraction_bits` fraction bits and no exponent below `least_exponent`, ties to even.
inline float rounded(float x, int fraction_bits, int least_exponent) {
  if (x == 0 || !std::isfinite(x)) return x;
  const double step = std::ldexp(1.0, std::max(std::ilogb(x), least_exponent) - fraction_bits);
  return static_cast<float>(std::nearbyint(static_cast<double>(x) / step) * step);
}

inline float as_f16(float x) {
  const float out = rounded(x, 10, -14);
  return std::fabs(out) > 65504.0f ? std::copysign(std::numeric_limits<float>::infinity(), out) : out;
}

inline float as_bf16(float x) { return rounded(x, 7, -126); }

struct MaxSim {
  float score;
  std::vector<uint32_t> best_vector;
  std::vector<float> best;
};

inline MaxSim maxsim(int metric, const float* query, std::size_t query_vectors, const float* document,
                     std::size_t document_vectors, std::size_t dimension) {
  MaxSim out{0, {}, {}};
  double sum = 0;
  for (std::size_t i = 0; i < query_vectors; ++i) {
    float best = -std::numeric_limits<float>::infinity();
    uint32_t at = 0xffffffffu;
    for (std::size_t j = 0; j < document_vectors; ++j) {
      const float s = score(metric, query + i * dimension, document + j * dimension, dimension);
      if (s > best) {
        best = s;
        at = static_cast<uint32_t>(j);
      }
    }
    sum += static_cast<double>(best);
    out.best.push_back(best);
    out.best_vector.push_back(at);
  }
  out.score = std::isnan(sum) ? -std::numeric_limits<float>::infinity() : static_cast<float>(sum);
  return out;
}

/// (score, row) in the order of results, the first k of them.
inline std::vector<std::pair<float, uint32_t>> ranked(std::vector<std::pair<float, uint32_t>> scored,
                                                      std::size_t k) {
  std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
  });
  if (scored.size() > k) scored.resize(k);
  return scored;
}

inline uint32_t bits(float value) {
  uint32_t out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

inline uint64_t bits(double value) {
  uint64_t out;
  std::memcpy(&out, &value, sizeof out);
  return out;
}

}  // namespace oracle
