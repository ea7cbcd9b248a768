#include "training/in_batch_contrast.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/canonical_dot.h"
#include "core/canonical_log.h"
#include "training/contrast_exclusions.h"
#include "training/row_tasks.h"

namespace granule {
namespace {

/// Rows that one thread takes at a time, and whose sums of columns are added up before those of the next.
constexpr std::size_t kRun = 64;
constexpr std::size_t kMostRows = 512;
/// Rows whose similarities are computed at once where they are kept: the documents are packed for them.
constexpr std::size_t kKeptRows = 2048;
constexpr std::size_t kBlockNumbers = std::size_t{1} << 21;
constexpr std::size_t kWorthThreads = std::size_t{1} << 14;
/// Exponents of both directions lie within [-600, 0] of the same number, so that quotients of sums and terms
/// stay within float64.
constexpr double kMostRange = 600;

/// Vectors of one side, and where their gradient goes.
struct Side {
  const float* vectors;
  std::size_t count;
  float* gradient;
};

class Contrast {
 public:
  Contrast(const MatrixWorkers& workers, const ContrastBatch& batch, ContrastGradients* out)
      : workers_(workers),
        batch_(batch),
        exclusions_(batch),
        queries_{batch.queries, batch.query_count, out->queries},
        documents_{batch.documents, batch.document_count, out->documents},
        row_losses_(batch.query_count),
        row_slopes_(batch.query_count),
        term_count_(std::max(batch.query_count, batch.document_count)),
        column_shares_(term_count_),
        block_rows_(std::clamp(kBlockNumbers / batch.document_count / kRun * kRun, kRun, kMostRows)) {
    double total = 0;
    for (std::size_t i = 0; i < batch.query_count; ++i) total += weight(i);
    scale_ = 1 / total;
    for (std::size_t i = 0; i < batch.query_count; ++i)
      looked_for_ = std::max(looked_for_, exclusions_.positive(i) + 1);
    terms_ = AlignedBuffer<double>(workers.threads * term_count_);
  }

  Status run(std::size_t kept_bytes, ContrastGradients* out) {
    double range = 0;
    if (Status status = check_vectors(&range); !status.ok()) return status;
    for (const Side* side : {&queries_, &documents_}) clear(side->gradient, side->count);
    Status status;
    if (batch_.direction == ContrastDirection::query_to_document) {
      status = queries_to_documents(1);
    } else if (batch_.direction == ContrastDirection::document_to_query) {
      status = documents_to_queries(1);
    } else if (range <= kMostRange * batch_.temperature) {
      status = both_ways(range / 2, kept_bytes);
    } else {
      status = queries_to_documents(0.5);
      if (status.ok()) status = documents_to_queries(0.5);
    }
    return status.ok() ? finish(out) : status;
  }

 private:
  double weight(std::size_t i) const { return batch_.weights == nullptr ? 1.0 : batch_.weights[i]; }
  /// What the loss of row i counts for, divided by t.
  double slope(std::size_t i, double share) const { return share * weight(i) * scale_ / batch_.temperature; }
  static Status aborted() { return Status::failure(StatusCode::aborted, "the contrast was aborted"); }

  /// @param range receives 2 max |q| max |d| with what rounding may add, which no two similarities are
  /// further apart
  Status check_vectors(double* range) {
    double greatest[2];
    for (const Side* side : {&queries_, &documents_}) {
      FirstNotFinite first_bad;
      std::vector<double> squares(side->count);
      for_row_runs(workers_, side->count, batch_.dimension, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) {
          const float* vector = side->vectors + r * batch_.dimension;
          check_finite_row(vector, batch_.dimension, r, &first_bad);
          squares[r] = workers_.kernels.squared_norm(vector, batch_.dimension);
        }
      });
      if (Status status = first_bad.status(side == &queries_ ? "query" : "document"); !status.ok())
        return status;
      greatest[side == &queries_ ? 0 : 1] = std::sqrt(*std::max_element(squares.begin(), squares.end()));
    }
    if (workers_.cancel.cancelled()) return aborted();
    *range = 2 * greatest[0] * greatest[1] * (1 + static_cast<double>(batch_.dimension) * 0x1p-23);
    return Status::success();
  }

  void clear(float* rows, std::size_t count) {
    const std::size_t d = batch_.dimension;
    for_row_runs(workers_, count, d, [&](std::size_t begin, std::size_t end) {
      std::fill(rows + begin * d, rows + end * d, 0.0f);
    });
  }

  /// body(row, slot) for each row of a block.
  template <typename Body>
  void for_rows(std::size_t first, std::size_t count, std::size_t columns, const Body& body) {
    const unsigned threads = count * columns < kWorthThreads ? 1 : workers_.threads;
    workers_.pool.parallel_for_slots((count + kRun - 1) / kRun, threads,
                                     [&](std::size_t run, std::size_t slot) {
                                       if (workers_.cancel.cancelled()) return;
                                       const std::size_t end = std::min(count, (run + 1) * kRun);
                                       for (std::size_t r = run * kRun; r < end; ++r) body(first + r, slot);
                                     });
  }

  /// Similarities of some anchors with all candidates, those of excluded pairs replaced.
  Status similarities(const Side& anchors, std::size_t first, std::size_t count, const Side& candidates,
                      bool by_query, float* out) {
    const std::size_t width = candidates.count;
    if (!multiply(workers_, {{anchors.vectors + first * batch_.dimension, batch_.dimension},
                             {candidates.vectors, batch_.dimension, true},
                             count,
                             width,
                             batch_.dimension,
                             out,
                             width})) {
      return aborted();
    }
    FirstNotFinite first_bad;
    for_rows(first, count, width, [&](std::size_t i, std::size_t) {
      float* row = out + (i - first) * width;
      check_finite_row(row, width, i, &first_bad);
      if (by_query) {
        exclusions_.from_query(i, row);
      } else {
        exclusions_.from_positive(i, row);
      }
    });
    return first_bad.status("similarities with vector");
  }

  /// Replaces similarities s_ij of row i by g_ij = term_ij (row share + column share j), and that of its
  /// positive p by `own`.
  /// @return sum_j g_ij (s_ij - reference)
  double to_gradient(double* terms, std::size_t count, std::size_t p, double row_share, double own,
                     double reference, float* row) const {
    const double* column_shares = column_shares_.data();
    // Other queries' shares of this column say nothing about a query that looks for it, and may be vast.
    terms[p] = 0;
    const double distance = static_cast<double>(row[p]) - reference;
    double lane[kLanes] = {};
    const auto step = [&](std::size_t j, std::size_t l) {
      const double g = terms[j] * (row_share + column_shares[j]);
      lane[l] += g * (static_cast<double>(row[j]) - reference);
      row[j] = static_cast<float>(g);
    };
    std::size_t j = 0;
    for (; j + kLanes <= count; j += kLanes) {
      for (std::size_t l = 0; l < kLanes; ++l) step(j + l, l);
    }
    for (std::size_t l = 0; j + l < count; ++l) step(j + l, l);
    row[p] = static_cast<float>(own);
    return sum_lanes(lane) + own * distance;
  }

  /// Adds what the gradient of a block's similarities gives to the gradients of both sides.
  bool add_gradients(const Side& anchors, std::size_t first, std::size_t count, const Side& candidates,
                     const float* g) {
    const std::size_t d = batch_.dimension;
    const std::size_t width = candidates.count;
    return multiply(workers_, {{g, width},
                               {candidates.vectors, d},
                               count,
                               d,
                               width,
                               anchors.gradient + first * d,
                               d,
                               true}) &&
           multiply(workers_, {{g, width, true},
                               {anchors.vectors + first * d, d},
                               width,
                               d,
                               count,
                               candidates.gradient,
                               d,
                               true});
  }

  Status queries_to_documents(double share) { return one_way(queries_, documents_, true, share); }

  /// Positives look for their queries; other documents are nobody's.
  Status documents_to_queries(double share) {
    if (batch_.positives == nullptr)
      return one_way({documents_.vectors, queries_.count, documents_.gradient}, queries_, false, share);
    const std::size_t d = batch_.dimension;
    AlignedBuffer<float> vectors(queries_.count * d), gradient(queries_.count * d);
    clear(gradient.data(), queries_.count);
    for (std::size_t i = 0; i < queries_.count; ++i)
      std::copy_n(documents_.vectors + exclusions_.positive(i) * d, d, vectors.data() + i * d);
    Status status = one_way({vectors.data(), queries_.count, gradient.data()}, queries_, false, share);
    if (!status.ok()) return status;
    for (std::size_t i = 0; i < queries_.count; ++i) {
      float* sum = documents_.gradient + exclusions_.positive(i) * d;
      for (std::size_t c = 0; c < d; ++c) sum[c] += gradient.data()[i * d + c];
    }
    return status;
  }

  /// Each anchor has to find its candidate: a query its positive, a query's positive the query.
  Status one_way(const Side& anchors, const Side& candidates, bool by_query, double share) {
    const std::size_t width = candidates.count;
    AlignedBuffer<float> block(std::min(block_rows_, anchors.count) * width);
    for (std::size_t first = 0; first < anchors.count; first += block_rows_) {
      const std::size_t count = std::min(block_rows_, anchors.count - first);
      if (Status status = similarities(anchors, first, count, candidates, by_query, block.data());
          !status.ok())
        return status;
      for_rows(first, count, width, [&](std::size_t i, std::size_t slot) {
        float* row = block.data() + (i - first) * width;
        double* terms = terms_.data() + slot * term_count_;
        const std::size_t p = by_query ? exclusions_.positive(i) : i;
        const double greatest = *std::max_element(row, row + width);
        const double sum = workers_.kernels.softmax_terms(row, width, greatest, batch_.temperature, terms);
        const double behind = (greatest - static_cast<double>(row[p])) / batch_.temperature;
        row_losses_[i] += share * weight(i) * scale_ * (canonical_log(sum) + behind);
        const double c = slope(i, share);
        const double own = c * (terms[p] / sum - 1);
        row_slopes_[i] += to_gradient(terms, width, p, c / sum, own, greatest, row);
      });
      if (!add_gradients(anchors, first, count, candidates, block.data())) return aborted();
    }
    return Status::success();
  }

  /// Both directions by the same exponentials, exp((s_ij - reference) / t).
  Status both_ways(double reference, std::size_t kept_bytes) {
    const std::size_t n = queries_.count;
    const std::size_t width = documents_.count;
    const bool kept = width <= kept_bytes / sizeof(float) / n;
    const std::size_t runs = (n + kRun - 1) / kRun;
    const std::size_t rows_at_once =
        std::min(kept ? std::max(block_rows_, kKeptRows) : block_rows_, runs * kRun);
    AlignedBuffer<float> block((kept ? n : std::min(block_rows_, n)) * width);
    // A column's sum is over the queries that do not look for it: those that do compete with them alone.
    std::vector<double> row_sums(n), own_terms(n), column_sums(looked_for_);
    AlignedBuffer<double> run_sums(rows_at_once / kRun * looked_for_);
    for (std::size_t first = 0; first < n; first += rows_at_once) {
      const std::size_t count = std::min(rows_at_once, n - first);
      float* s = block.data() + (kept ? first * width : 0);
      if (Status status = similarities(queries_, first, count, documents_, true, s); !status.ok())
        return status;
      for_rows(first, count, width, [&](std::size_t i, std::size_t slot) {
        double* terms = terms_.data() + slot * term_count_;
        row_sums[i] = workers_.kernels.softmax_terms(s + (i - first) * width, width, reference,
                                                     batch_.temperature, terms);
        own_terms[i] = std::exchange(terms[exclusions_.positive(i)], 0.0);
        double* sums = run_sums.data() + (i - first) / kRun * looked_for_;
        if ((i - first) % kRun == 0) {
          std::copy_n(terms, looked_for_, sums);
        } else {
          for (std::size_t j = 0; j < looked_for_; ++j) sums[j] += terms[j];
        }
      });
      if (workers_.cancel.cancelled()) return aborted();
      for (std::size_t run = 0; run * kRun < count; ++run) {
        for (std::size_t j = 0; j < looked_for_; ++j) column_sums[j] += run_sums[run * looked_for_ + j];
      }
    }
    const auto column_sum = [&](std::size_t i) {
      return column_sums[exclusions_.positive(i)] + own_terms[i];
    };
    for (std::size_t i = 0; i < n; ++i) {
      column_shares_[exclusions_.positive(i)] += slope(i, 0.5) / column_sum(i);
      row_losses_[i] =
          0.5 * weight(i) * scale_ *
          (canonical_log(row_sums[i] / own_terms[i]) + canonical_log(column_sum(i) / own_terms[i]));
    }
    for (std::size_t first = 0; first < n; first += block_rows_) {
      const std::size_t count = std::min(block_rows_, n - first);
      float* s = block.data() + (kept ? first * width : 0);
      if (!kept) {
        if (Status status = similarities(queries_, first, count, documents_, true, s); !status.ok())
          return status;
      }
      for_rows(first, count, width, [&](std::size_t i, std::size_t slot) {
        double* terms = terms_.data() + slot * term_count_;
        float* row = s + (i - first) * width;
        workers_.kernels.softmax_terms(row, width, reference, batch_.temperature, terms);
        const double c = slope(i, 0.5);
        const double own = c * ((own_terms[i] / row_sums[i] - 1) + (own_terms[i] / column_sum(i) - 1));
        row_slopes_[i] =
            to_gradient(terms, width, exclusions_.positive(i), c / row_sums[i], own, reference, row);
      });
      if (!add_gradients(queries_, first, count, documents_, s)) return aborted();
    }
    return Status::success();
  }

  Status finish(ContrastGradients* out) {
    if (workers_.cancel.cancelled()) return aborted();
    double loss = 0;
    double slopes = 0;
    for (std::size_t i = 0; i < queries_.count; ++i) {
      loss += row_losses_[i];
      slopes += row_slopes_[i];
    }
    out->loss = loss;
    out->temperature = -slopes / batch_.temperature;
    if (!std::isfinite(loss) || !std::isfinite(out->temperature)) {
      return Status::failure(StatusCode::not_finite,
                             "the loss is not finite: similarities lie too far apart for the temperature");
    }
    for (const Side* side : {&queries_, &documents_}) {
      FirstNotFinite first_bad;
      for_row_runs(workers_, side->count, batch_.dimension, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) {
          check_finite_row(side->gradient + r * batch_.dimension, batch_.dimension, r, &first_bad);
        }
      });
      const char* what = side == &queries_ ? "gradient of query" : "gradient of document";
      if (Status status = first_bad.status(what); !status.ok()) return status;
    }
    return Status::success();
  }

  const MatrixWorkers& workers_;
  const ContrastBatch& batch_;
  ContrastExclusions exclusions_;
  Side queries_;
  Side documents_;
  /// What each row adds to L, and to sum_ij g_ij s_ij.
  std::vector<double> row_losses_;
  std::vector<double> row_slopes_;
  /// Of the longer side.
  std::size_t term_count_;
  /// dL/ds_ij of the second direction, divided by the pair's term; 0 in one direction.
  std::vector<double> column_shares_;
  /// Documents up to the last that is somebody's positive.
  std::size_t looked_for_ = 0;
  std::size_t block_rows_;
  /// 1 / sum of the weights.
  double scale_;
  /// A row of exponentials per thread.
  AlignedBuffer<double> terms_;
};

}  // namespace

Status in_batch_contrast(const MatrixWorkers& workers, const ContrastBatch& batch, std::size_t kept_bytes,
                         ContrastGradients* out) {
  return Contrast(workers, batch, out).run(kept_bytes, out);
}

}  // namespace granule
