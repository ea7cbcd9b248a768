// The terms of a log-sum-exp, and the exponential and the logarithm that they are made with.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/log_sum_exp.h"
#include "tests/oracle.h"
#include "tests/search_fixture.h"
#include "tests/test_data.h"

using namespace granule;
using test_data::Random;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// How many random numbers are compared with the truth: fewer on an emulated processor, where long double is
/// software on software; the same operations ran on the others in full.
int trials() { return test_search::is_emulated() ? 20000 : 200000; }

}  // namespace

TEST_CASE("the reference exponential is within 4e-16 of the truth wherever a term is not 0, and 1 at 0") {
  CHECK(canonical_exp(0.0) == 1.0);
  CHECK(canonical_exp(-0.0) == 1.0);
  CHECK(canonical_exp(-kInfinity) == 0.0);
  Random random(11);
  double worst = 0;
  for (int i = 0, count = trials(); i < count; ++i) {
    const double x = -44.0 * std::ldexp(static_cast<double>(random.next() >> 11), -53) *
                     std::ldexp(1.0, -static_cast<int>(random.below(20)));
    const long double truth = std::exp(static_cast<long double>(x));
    const double error =
        static_cast<double>(std::fabs(static_cast<long double>(canonical_exp(x)) - truth) / truth);
    worst = std::max(worst, error);
    REQUIRE(canonical_exp(x) <= 1.0);
    REQUIRE(oracle::bits(canonical_exp(x)) == oracle::bits(oracle::exponential(x)));
  }
  CHECK(worst < 4e-16);
}

TEST_CASE("the reference logarithm is within a unit in the last place of the truth, and 0 at 1") {
  CHECK(canonical_log(1.0) == 0.0);
  Random random(12);
  const auto check = [](double x) {
    const long double truth = std::log(static_cast<long double>(x));
    const double unit = std::ldexp(1.0, std::ilogb(static_cast<double>(truth)) - 52);
    const auto error = static_cast<double>(std::fabs(static_cast<long double>(canonical_log(x)) - truth));
    REQUIRE(error <= unit);
  };
  for (int e = 1; e <= 66; ++e) check(std::ldexp(1.0, e));
  for (int i = 0, count = trials(); i < count; ++i) {
    const double fraction = std::ldexp(static_cast<double>(random.next() >> 11), -53);
    // As near to 1 as there are numbers, and up to 2^33.
    check(1.0 + std::max(fraction * std::ldexp(1.0, -static_cast<int>(random.below(50))), 0x1p-52));
    check(std::ldexp(1.0 + fraction, static_cast<int>(random.below(33))));
  }
}

TEST_CASE("a term is cut off, never rounded up: 2^62 at the greatest score, 0 beyond 43 below it") {
  CHECK(softmax_term(3.5f, 3.5f, 0.01) == uint64_t{1} << 62);
  CHECK(softmax_term(-43.0f, 0.0f, 1.0) == 0);
  CHECK(softmax_term(-42.9f, 0.0f, 1.0) == 1);
  CHECK(softmax_term(-1.0f, 0.0f, 5e-324) == 0);
  CHECK(softmax_term(1.0f, 1.0f, 5e-324) == uint64_t{1} << 62);
  const float infinity = std::numeric_limits<float>::infinity();
  const float greatest = std::numeric_limits<float>::max();
  CHECK(softmax_term(infinity, infinity, 1.0) == uint64_t{1} << 62);
  CHECK(softmax_term(greatest, infinity, 1.0) == uint64_t{1} << 62);
  CHECK(softmax_term(-infinity, -infinity, 1.0) == uint64_t{1} << 62);
  CHECK(softmax_term(-infinity, 0.0f, 1.0) == 0);
  CHECK(softmax_term(-infinity, 0.0f, 1e300) == uint64_t{1} << 62);
  for (int i = 0; i < 2000; ++i) {
    const float s = -0.0215f * static_cast<float>(i);
    const auto whole = static_cast<uint64_t>(std::floor(std::ldexp(oracle::exponential(s), 62)));
    REQUIRE(softmax_term(s, 0.0f, 1.0) == whole);
  }
}

TEST_CASE("a score below the least that has a term has none, and the least is not far from having one") {
  Random random(14);
  const float infinity = std::numeric_limits<float>::infinity();
  int finite = 0;
  for (int i = 0; i < 100000; ++i) {
    const float maximum = std::ldexp(random.uniform(), static_cast<int>(random.below(240)) - 120);
    const double temperature =
        std::ldexp(1.0 + std::fabs(random.uniform()), static_cast<int>(random.below(260)) - 130);
    const float least = least_score_with_term(maximum, temperature);
    if (least == -infinity) continue;
    REQUIRE(softmax_term(-infinity, maximum, temperature) == 0);
    ++finite;
    REQUIRE(least < maximum);
    REQUIRE(softmax_term(std::nextafter(least, -infinity), maximum, temperature) == 0);
    const double near = static_cast<double>(maximum) - 42.97 * temperature;
    const auto above = std::nextafter(static_cast<float>(near), infinity);
    REQUIRE(above > least);
    if (above < maximum) REQUIRE(softmax_term(above, maximum, temperature) > 0);
  }
  CHECK(finite > 10000);
}

TEST_CASE("terms add up as integers, in any order and any groups") {
  Random random(13);
  std::vector<uint64_t> terms(5000);
  for (uint64_t& term : terms) term = random.next() >> (random.below(60));
  oracle::Wide expected = 0;
  TermSum forwards;
  for (const uint64_t term : terms) {
    expected += term;
    forwards.add(term);
  }
  TermSum groups[7];
  for (std::size_t i = terms.size(); i-- > 0;) groups[i % 7].add(terms[i]);
  TermSum grouped;
  for (const TermSum& group : groups) grouped.add(group);
  for (const TermSum& sum : {forwards, grouped}) {
    CHECK(sum.low == static_cast<uint64_t>(expected));
    CHECK(sum.high == static_cast<uint64_t>(expected >> 64));
    CHECK(sum.value() == oracle::value_of(expected));
  }
  CHECK(forwards.high > 0);
}
