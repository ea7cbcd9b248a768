#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

/// Reductions of similarities by their definitions, with the C library's exponentials and in a plain order.
namespace late_interaction_oracle {

using Numbers = std::vector<double>;
using Tile = std::vector<Numbers>;

inline double greatest(const Numbers& values) { return *std::max_element(values.begin(), values.end()); }
inline double least(const Numbers& values) { return *std::min_element(values.begin(), values.end()); }

inline double sum(const Numbers& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

inline Numbers softmax(const Numbers& values, double t) {
  const double most = greatest(values);
  Numbers out;
  for (const double value : values) out.push_back(std::exp((value - most) / t));
  const double total = sum(out);
  for (double& value : out) value /= total;
  return out;
}

inline double attended(const Numbers& attention, const Numbers& values) {
  double total = 0;
  for (std::size_t j = 0; j < values.size(); ++j) total += attention[j] * values[j];
  return total;
}

inline Numbers column(const Tile& tile, std::size_t j) {
  Numbers out;
  for (const Numbers& row : tile) out.push_back(row[j]);
  return out;
}

inline double interactive(const Numbers& values, double t, const float* mixing) {
  Numbers inner = softmax(values, t);
  if (mixing != nullptr) {
    Numbers mixed(values.size(), 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t j = 0; j < values.size(); ++j) mixed[j] += inner[i] * mixing[i * values.size() + j];
    }
    inner = mixed;
  }
  return attended(softmax(inner, t), values);
}

inline double smooth_maximum(const Numbers& values, double t) {
  const double most = greatest(values);
  double terms = 0;
  for (const double value : values) terms += std::exp((value - most) / t);
  return most + t * std::log(terms);
}

inline double slow_sparc(const Numbers& values) {
  const double most = greatest(values);
  const double lowest = least(values);
  double total = 0;
  double score = 0;
  for (const double value : values) {
    const double share = most == lowest ? 1 : (value - lowest) / (most - lowest);
    if (share < 1 / static_cast<double>(values.size())) continue;
    total += share;
    score += share * value;
  }
  return score / total;
}

}  // namespace late_interaction_oracle
