#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/canonical_exp.h"
#include "core/canonical_log.h"
#include "core/host_device.h"

namespace granule {

/// The log-sum-exp of scores s_j at temperature t, with m the greatest of them:
///
///     term_j = floor(2^62 exp((s_j - m) / t))        an integer; exp is the reference exponential
///     L = m / t + ln(2^-62 sum_j term_j)             ln is the reference logarithm
///
/// Integers add up to the same sum in every order, so the result does not depend on threads, devices or how
/// rows are divided. The greatest score's term is exactly 2^62. Each floor takes away less than 2^-62 of
/// that, so the sum is too small by less than rows * 2^-62 of it (2.2e-13 for a million rows), beside the
/// error of exp, 4e-16. Scores beyond float32 (infinite) count as the greatest float32 of their sign.

inline constexpr double kUnitTerm = 0x1p62;

/// A score as the terms see it.
GRANULE_HD inline float finite_score(float score) {
  constexpr float kGreatest = 3.40282346638528859812e+38f;
  return score > kGreatest ? kGreatest : score < -kGreatest ? -kGreatest : score;
}

/// The term of an exponential from 0 to 1. The product is exact, and the conversion cuts off.
GRANULE_HD inline uint64_t term_of_exponential(double exponential) {
  return static_cast<uint64_t>(exponential * kUnitTerm);
}

/// @param maximum the greatest of the scores, which is at least `score`
/// @param temperature finite, above 0
GRANULE_HD inline uint64_t softmax_term(float score, float maximum, double temperature) {
  const double difference =
      static_cast<double>(finite_score(score)) - static_cast<double>(finite_score(maximum));
  return term_of_exponential(canonical_exp(difference / temperature));
}

/// Scores below this have the term 0; -infinity where every score may have one.
///
/// exp(-43) is below 2^-62. The thousandth covers the roundings of a term's difference and quotient, and a
/// step of float32 those made here.
inline float least_score_with_term(float maximum, double temperature) {
  const double least = static_cast<double>(finite_score(maximum)) - 43.001 * temperature;
  if (!(least >= -static_cast<double>(std::numeric_limits<float>::max())))
    return -std::numeric_limits<float>::infinity();
  return std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity());
}

/// A sum of terms: low + 2^64 high. 2^66 of them fit.
struct TermSum {
  uint64_t low = 0;
  uint64_t high = 0;

  GRANULE_HD void add(uint64_t term) {
    low += term;
    high += low < term ? 1 : 0;
  }
  GRANULE_HD void add(const TermSum& other) {
    add(other.low);
    high += other.high;
  }
  /// Its float64, in which a greater sum is never smaller.
  double value() const { return static_cast<double>(high) * 0x1p64 + static_cast<double>(low); }
};

/// L, of a sum that holds at least the greatest score's term.
inline double log_sum_exp(const TermSum& sum, float maximum, double temperature) {
  return static_cast<double>(finite_score(maximum)) / temperature + canonical_log(sum.value() / kUnitTerm);
}

/// The share that some terms have in the sum of all: from 0 to 1, and 1 where they are all.
inline double mass_share(const TermSum& part, const TermSum& all) { return part.value() / all.value(); }

}  // namespace granule
