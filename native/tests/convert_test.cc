#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/kernel_table.h"
#include "tests/test_data.h"

using namespace granule;

namespace {

/// A 16-bit floating-point type, by its definition.
struct Format {
  int fraction_bits;
  int bias;

  uint32_t exponent_mask() const { return (0x7fffu >> fraction_bits) << fraction_bits; }
  bool is_nan(uint16_t half) const { return (half & 0x7fffu) > exponent_mask(); }

  double value(uint16_t half) const {
    const int exponent = (half & 0x7fff) >> fraction_bits;
    const int fraction = half & ((1 << fraction_bits) - 1);
    const double sign = (half & 0x8000) != 0 ? -1.0 : 1.0;
    if ((half & 0x7fffu) == exponent_mask()) return sign * std::numeric_limits<double>::infinity();
    const int hidden = exponent == 0 ? 0 : 1 << fraction_bits;
    return sign * std::ldexp(hidden + fraction, std::max(exponent, 1) - bias - fraction_bits);
  }

  /// Every finite magnitude in order: its place is its bits.
  std::vector<double> magnitudes() const {
    std::vector<double> out(exponent_mask());
    for (std::size_t half = 0; half < out.size(); ++half) out[half] = value(static_cast<uint16_t>(half));
    return out;
  }
};

/// The nearest of a format's magnitudes, by looking at the two neighbours; the one beyond the last counts as
/// infinity.
uint16_t nearest(const std::vector<double>& magnitudes, float x) {
  const double magnitude = std::fabs(static_cast<double>(x));
  const auto found = std::upper_bound(magnitudes.begin(), magnitudes.end(), magnitude);
  const auto above = static_cast<std::size_t>(found - magnitudes.begin());
  const std::size_t below = above - 1;
  const double low = magnitudes[below];
  const double step = low - magnitudes[below == 0 ? 0 : below - 1];
  const double high = above == magnitudes.size() ? low + step : magnitudes[above];
  const double half_way = (low + high) / 2;
  const bool up = magnitude > half_way || (magnitude == half_way && (above & 1u) == 0);
  return static_cast<uint16_t>((up ? above : below) | (std::signbit(x) ? 0x8000u : 0u));
}

constexpr Format kF16 = {10, 15};
constexpr Format kBf16 = {7, 127};

/// Both zeros, denormals, numbers around every f16 and bf16 and half-way between two, and any finite bits.
std::vector<float> inputs() {
  std::vector<float> out;
  const auto add = [&out](uint32_t bits) {
    const auto value = std::bit_cast<float>(bits);
    if (!std::isnan(value)) out.push_back(value);
  };
  for (const Format& format : {kF16, kBf16}) {
    for (uint32_t half = 0; half <= 0xffffu; half += format.fraction_bits == 10 ? 1 : 7) {
      if (format.is_nan(static_cast<uint16_t>(half))) continue;
      const auto bits =
          std::bit_cast<uint32_t>(static_cast<float>(format.value(static_cast<uint16_t>(half))));
      const uint32_t half_step = 1u << (22 - format.fraction_bits);
      for (const uint32_t delta : {0u, half_step - 1, half_step, half_step + 1}) add(bits + delta);
    }
  }
  for (const uint32_t bits : {0x00000001u, 0x007fffffu, 0x33000000u, 0x33000001u, 0x477fefffu, 0x477ff000u,
                              0x7f7f7fffu, 0x7f7f8000u, 0x7f7fffffu, 0x7f800000u}) {
    add(bits);
    add(bits | 0x80000000u);
  }
  test_data::Random random(3);
  for (int i = 0; i < 100000; ++i) add(static_cast<uint32_t>(random.next() >> 32));
  return out;
}

/// Names the first number that is narrowed otherwise; an assertion for each of half a million takes seconds.
void check_narrowed(const std::vector<float>& values, const std::vector<uint16_t>& narrowed,
                    const std::vector<uint16_t>& expected) {
  const auto [found, wanted] = std::mismatch(narrowed.begin(), narrowed.end(), expected.begin());
  if (found == narrowed.end()) return;
  CAPTURE(values[static_cast<std::size_t>(found - narrowed.begin())]);
  CHECK(*found == *wanted);
}

}  // namespace

TEST_CASE("every 16-bit pattern widens to its value, with the same bits on every instruction set") {
  std::vector<uint16_t> halves(0x10000);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> f16(halves.size()), bf16(halves.size());
  widen_f16_scalar(halves.data(), halves.size(), f16.data());
  widen_bf16_scalar(halves.data(), halves.size(), bf16.data());
  for (std::size_t i = 0; i < halves.size(); ++i) {
    REQUIRE(std::isnan(f16[i]) == kF16.is_nan(halves[i]));
    REQUIRE(std::isnan(bf16[i]) == kBf16.is_nan(halves[i]));
    REQUIRE((std::isnan(f16[i]) || f16[i] == kF16.value(halves[i])));
    REQUIRE((std::isnan(bf16[i]) || bf16[i] == kBf16.value(halves[i])));
    REQUIRE(std::signbit(f16[i]) == (i >= 0x8000));
    REQUIRE(std::signbit(bf16[i]) == (i >= 0x8000));
  }
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    std::vector<float> out(halves.size());
    kernel_table(isa)->widen_f16(halves.data(), halves.size(), out.data());
    CHECK(std::memcmp(out.data(), f16.data(), out.size() * sizeof(float)) == 0);
    kernel_table(isa)->widen_bf16(halves.data(), halves.size(), out.data());
    CHECK(std::memcmp(out.data(), bf16.data(), out.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("float32 narrows to the nearest, ties to even, with the same bits on every instruction set") {
  const std::vector<float> values = inputs();
  std::vector<uint16_t> f16(values.size()), bf16(values.size());
  std::transform(values.begin(), values.end(), f16.begin(),
                 [table = kF16.magnitudes()](float x) { return nearest(table, x); });
  std::transform(values.begin(), values.end(), bf16.begin(),
                 [table = kBf16.magnitudes()](float x) { return nearest(table, x); });
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    std::vector<uint16_t> out(values.size());
    kernel_table(isa)->narrow_f16(values.data(), values.size(), out.data());
    check_narrowed(values, out, f16);
    kernel_table(isa)->narrow_bf16(values.data(), values.size(), out.data());
    check_narrowed(values, out, bf16);
  }
}

TEST_CASE("conversions take any count and alignment and write nothing beyond") {
  constexpr std::size_t kMost = 40;
  const std::vector<float> values = test_data::vectors(test_data::Kind::uniform, kMost, 1, 8);
  std::vector<uint16_t> halves(kMost);
  narrow_f16_scalar(values.data(), kMost, halves.data());
  for (const Isa isa : available_isas(detect_cpu_features())) {
    CAPTURE(isa_name(isa));
    const KernelTable& table = *kernel_table(isa);
    for (std::size_t count = 0; count <= kMost; ++count) {
      for (std::size_t shift = 0; shift < 4; ++shift) {
        // Exactly sized: the sanitizer builds catch an access beyond.
        std::vector<uint8_t> narrow_bytes(shift + 2 * count), wide_bytes(shift + 4 * count);
        if (count > 0) std::memcpy(wide_bytes.data() + shift, values.data(), 4 * count);
        auto* narrow = reinterpret_cast<uint16_t*>(narrow_bytes.data() + shift);
        auto* wide = reinterpret_cast<float*>(wide_bytes.data() + shift);
        table.narrow_f16(wide, count, narrow);
        REQUIRE((count == 0 || std::memcmp(narrow, halves.data(), 2 * count) == 0));
        table.widen_f16(narrow, count, wide);
        table.narrow_f16(wide, count, narrow);
        REQUIRE((count == 0 || std::memcmp(narrow, halves.data(), 2 * count) == 0));
        table.narrow_bf16(wide, count, narrow);
        table.widen_bf16(narrow, count, wide);
        for (std::size_t i = 0; i < count; ++i) {
          float value;
          std::memcpy(&value, wide_bytes.data() + shift + 4 * i, sizeof value);
          REQUIRE(std::fabs(value - values[i]) <= 0.005f * std::fabs(values[i]) + 1e-30f);
        }
      }
    }
  }
}
