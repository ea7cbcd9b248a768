#pragma once

#include <atomic>
#include <cstddef>

#include "backends/backend.h"
#include "backends/cpu/cpu_backend.h"
#include "core/log_sum_exp.h"

namespace granule {

/// Whether the caller has asked to stop; known to all tasks once one has seen it.
class StopAsked {
 public:
  explicit StopAsked(const granule_search& search) : search_(search) {}

  bool look() {
    if (stopped_.load(std::memory_order_relaxed)) return true;
    if (search_.cancelled(search_.cancelled_context) == 0) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }
  bool was_seen() const { return stopped_.load(); }

 private:
  const granule_search& search_;
  std::atomic<bool> stopped_{false};
};

/// Adds the terms of one query's scores, a few scores at a time.
class TermAdder {
 public:
  TermAdder(const CpuBackend& backend, const granule_term_search& request, std::size_t query, TermSum* sum)
      : backend_(backend),
        maximum_(static_cast<double>(finite_score(request.maxima[query]))),
        temperature_(request.temperature),
        sum_(sum) {}

  void add(float score) {
    scores_[count_++] = finite_score(score);
    if (count_ == kScores) flush();
  }

  /// To be called at the end.
  void flush() {
    double exponentials[kScores];
    backend_.kernels.softmax_terms(static_cast<const float*>(scores_), count_, maximum_, temperature_,
                                   static_cast<double*>(exponentials));
    for (std::size_t i = 0; i < count_; ++i) sum_->add(term_of_exponential(exponentials[i]));
    count_ = 0;
  }

 private:
  static constexpr std::size_t kScores = 32;

  const CpuBackend& backend_;
  const double maximum_;
  const double temperature_;
  TermSum* const sum_;
  std::size_t count_ = 0;
  float scores_[kScores];
};

}  // namespace granule
