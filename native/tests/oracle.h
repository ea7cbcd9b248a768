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

// Sanitizers look for faults of the engine; watching the oracle's loops would take most of their time.
#if defined(__GNUC__)
#define GRANULE_UNWATCHED __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define GRANULE_UNWATCHED
#endif

namespace oracle {

GRANULE_UNWATCHED inline double dot(const float* a, const float* b, std::size_t dimension) {
  double lane[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  // A product of two float32 is exact in float64: a compiler that fuses it with the addition changes nothing.
  for (std::size_t i = 0; i < dimension; ++i)
    lane[i % 8] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
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

/// exp(x) for x <= 0 as 2^n exp(r): n the integer nearest x / ln 2, exp(r) its Taylor polynomial of degree 13
/// by Horner's rule, each operation rounded by itself; 0 below -708.
inline double exponential(double x) {
  if (!(x >= -708.0)) return 0.0;
  volatile double n = std::nearbyint(x * 1.4426950408889634);
  volatile double high = n * 0.6931471803691238;
  volatile double low = n * 1.9082149292705877e-10;
  volatile double r = x - high;
  r = r - low;
  double factorial = 6227020800.0;
  volatile double sum = 1.0 / factorial;
  for (int degree = 13; degree > 0; --degree) {
    factorial /= degree;
    volatile double product = sum * r;
    sum = product + 1.0 / factorial;
  }
  return std::ldexp(sum, static_cast<int>(n));
}

/// An integer of 128 bits, as the compiler has it.
__extension__ typedef unsigned __int128 Wide;

/// As TermSum::value has it.
inline double value_of(Wide sum) {
  return std::ldexp(static_cast<double>(static_cast<uint64_t>(sum >> 64)), 64) +
         static_cast<double>(static_cast<uint64_t>(sum));
}

/// sum over the scores of floor(2^62 exp((s - m) / t)); infinite ones count as the greatest float32.
inline Wide term_sum(const std::vector<float>& scores, float maximum, double temperature) {
  const auto finite = [](float s) {
    constexpr float kGreatest = std::numeric_limits<float>::max();
    return static_cast<double>(std::min(std::max(s, -kGreatest), kGreatest));
  };
  Wide sum = 0;
  for (const float s : scores) {
    const double term = exponential((finite(s) - finite(maximum)) / temperature);
    sum += static_cast<uint64_t>(std::floor(std::ldexp(term, 62)));
  }
  return sum;
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
