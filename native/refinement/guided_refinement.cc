#include "refinement/guided_refinement.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/canonical_dot.h"
#include "core/canonical_exp.h"
#include "core/canonical_log.h"
#include "refinement/adam.h"
#include "refinement/best_matches.h"
#include "refinement/coded_documents.h"

namespace granule {
namespace {

/// A softmax, with what its logarithms need.
struct Softmax {
  std::vector<double> probabilities;
  /// score / temperature - greatest - ln sum exp(...)
  std::vector<double> logarithms;
};

Softmax softmax(const double* scores, std::size_t count, double temperature) {
  Softmax out{std::vector<double>(count), std::vector<double>(count)};
  const double greatest = *std::max_element(scores, scores + count);
  double sum = 0;
  for (std::size_t d = 0; d < count; ++d) {
    out.logarithms[d] = (scores[d] - greatest) / temperature;
    out.probabilities[d] = canonical_exp(out.logarithms[d]);
    sum += out.probabilities[d];
  }
  const double logarithm = canonical_log(sum);
  for (std::size_t d = 0; d < count; ++d) {
    out.probabilities[d] /= sum;
    out.logarithms[d] -= logarithm;
  }
  return out;
}

/// KL(t || p) = sum t (ln t - ln p). A term below 2^-1000 counts as 0.
double divergence(const std::vector<double>& target, const Softmax& p) {
  double sum = 0;
  for (std::size_t d = 0; d < target.size(); ++d) {
    const double t = target[d];
    // canonical_log takes numbers from 1 on; a target may be above 1 by rounding.
    if (t > 0x1p-1000) sum += t * (-canonical_log(std::max(1.0, 1 / t)) - p.logarithms[d]);
  }
  return sum;
}

/// The query's vectors, divided into groups that threads move side by side. They are kept in float64 and, as
/// they are compared, in float32.
class MovingQuery {
 public:
  MovingQuery(const CpuBackend& backend, const CodedDocuments& documents, const GuidedRefinement& refinement)
      : documents_(documents),
        dimension_(refinement.dimension),
        stride_((dimension_ + kLanes - 1) / kLanes * kLanes),
        exact_(refinement.query, refinement.query + refinement.query_vectors * dimension_),
        rounded_(exact_.begin(), exact_.end()),
        widened_(refinement.query_vectors * stride_) {
    // An even number of groups, of few enough vectors for two calls of the kernels: two threads, or four,
    // have about the same to do. It must not depend on their number, or the comparisons would.
    const std::size_t count = refinement.query_vectors;
    constexpr std::size_t kMost = 2 * CodeMaxsimQueries::kMost;
    const std::size_t groups = std::min(count, (count + 2 * kMost - 1) / (2 * kMost) * 2);
    std::fill(widened_.data(), widened_.data() + widened_.size(), 0.0);
    for (std::size_t i = 0; i < count; ++i) widen(i);
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t begin = count * g / groups;
      const std::size_t size = count * (g + 1) / groups - begin;
      groups_.push_back({begin, Adam(size * dimension_, refinement.learning_rate),
                         BestMatches(backend, documents,
                                     {size, rounded_.data() + begin * dimension_,
                                      widened_.data() + begin * stride_, stride_})});
      for (std::size_t i = 0; i < size; ++i) group_of_.push_back(g);
    }
  }

  std::size_t group_count() const { return groups_.size(); }

  /// Finds the best matches of a group's vectors.
  void match(std::size_t group) { groups_[group].matches.find(); }

  /// Moves the vectors of a group by one step along -sum_d pull[d] x_{d,a(i,d)}.
  void step(std::size_t group, const std::vector<double>& pull) {
    Group& moving = groups_[group];
    const std::size_t size = moving.matches.vectors();
    std::vector<double> gradient(size * dimension_);
    for (std::size_t i = 0; i < size; ++i) {
      add_up(pull, moving.matches.matches(i), gradient.data() + i * dimension_);
    }
    moving.adam.step(gradient.data(), exact_.data() + moving.begin * dimension_);
    for (std::size_t i = 0; i < size; ++i) widen(moving.begin + i);
  }

  /// sum_i max_j <z_i, x_dj>
  double sum_of_maxima(std::size_t document) const {
    double sum = 0;
    for (std::size_t i = 0; i < group_of_.size(); ++i) {
      const Group& group = groups_[group_of_[i]];
      sum += group.matches.similarity(i - group.begin, document);
    }
    return sum;
  }

  const std::vector<float>& vectors() const { return rounded_; }

  uint64_t comparisons() const {
    uint64_t sum = 0;
    for (const Group& group : groups_) sum += group.matches.comparisons();
    return sum;
  }

 private:
  struct Group {
    /// Its first vector.
    std::size_t begin;
    Adam adam;
    BestMatches matches;
  };

  /// out[k] = sum_d pull[d] rows[d][k], d ascending, without contraction. A few k at a time: their sums stay
  /// in registers.
  void add_up(const std::vector<double>& pull, const float* rows, double* out) const {
    constexpr std::size_t kWidth = 16;
    std::size_t k = 0;
    for (; k + kWidth <= dimension_; k += kWidth) {
      double sum[kWidth] = {};
      for (std::size_t d = 0; d < pull.size(); ++d) {
        const float* row = rows + d * dimension_ + k;
        for (std::size_t l = 0; l < kWidth; ++l) sum[l] += pull[d] * row[l];
      }
      std::copy(sum, sum + kWidth, out + k);
    }
    for (; k < dimension_; ++k) {
      double sum = 0;
      for (std::size_t d = 0; d < pull.size(); ++d) sum += pull[d] * rows[d * dimension_ + k];
      out[k] = sum;
    }
  }

  /// Rounds vector i for comparisons.
  void widen(std::size_t i) {
    for (std::size_t k = 0; k < dimension_; ++k) {
      rounded_[i * dimension_ + k] = static_cast<float>(exact_[i * dimension_ + k]);
      widened_[i * stride_ + k] = rounded_[i * dimension_ + k];
    }
  }

  const CodedDocuments& documents_;
  std::size_t dimension_;
  std::size_t stride_;
  std::vector<double> exact_;
  std::vector<float> rounded_;
  AlignedBuffer<double> widened_;
  std::vector<Group> groups_;
  std::vector<std::size_t> group_of_;
};

Status check_query(const GuidedRefinement& refinement) {
  FirstNotFinite first_bad;
  for (std::size_t i = 0; i < refinement.query_vectors * refinement.dimension; ++i) {
    if (!std::isfinite(refinement.query[i])) {
      first_bad.report(i / refinement.dimension, i % refinement.dimension, refinement.query[i]);
    }
  }
  return first_bad.status("query vector");
}

/// The documents' scores. @return not_finite where one is not
Status score_documents(const MovingQuery& query, std::size_t query_vectors, std::size_t document_count,
                       double* scores) {
  for (std::size_t d = 0; d < document_count; ++d) {
    const double sum = query.sum_of_maxima(d);
    if (!std::isfinite(sum)) {
      return Status::failure(StatusCode::not_finite,
                             "a similarity of document " + std::to_string(d) + " is beyond float32",
                             static_cast<int64_t>(d));
    }
    scores[d] = sum / static_cast<double>(query_vectors);
  }
  return Status::success();
}

}  // namespace

Status refine_query(ThreadPool& pool, const KernelTable& kernels, const GuidedRefinement& refinement,
                    const CancelFlag& cancel, RefinedQuery* out) {
  const std::size_t document_count = refinement.document_count;
  const Status aborted = Status::failure(StatusCode::aborted, "the refinement was aborted");
  if (Status status = check_query(refinement); !status.ok()) return status;
  CodedDocuments documents(refinement.documents, refinement.dimension, refinement.lengths, document_count);
  FirstNotFinite first_bad;
  documents.code(pool, refinement.threads, kernels, cancel, &first_bad);
  if (cancel.cancelled()) return aborted;
  if (Status status = first_bad.status("row"); !status.ok()) return status;

  const CpuBackend backend{kernels, pool};
  MovingQuery query(backend, documents, refinement);
  pool.parallel_for(query.group_count(), refinement.threads, [&](std::size_t g) {
    if (!cancel.cancelled()) query.match(g);
  });
  const Softmax guide = softmax(refinement.complementary, document_count, refinement.temperature);
  const double scale = 1 / (refinement.temperature * static_cast<double>(refinement.query_vectors));
  std::vector<double> target(document_count);
  std::vector<double> pull(document_count);
  for (uint32_t step = 0;; ++step) {
    if (cancel.cancelled()) return aborted;
    if (Status status = score_documents(query, refinement.query_vectors, document_count, out->scores);
        !status.ok()) {
      return status;
    }
    const Softmax p = softmax(out->scores, document_count, refinement.temperature);
    if (step == 0 || refinement.moving_target) {
      for (std::size_t d = 0; d < document_count; ++d) {
        target[d] = (1 - refinement.weight) * p.probabilities[d] + refinement.weight * guide.probabilities[d];
      }
    }
    out->losses[step] = divergence(target, p);
    if (step == refinement.steps) break;
    for (std::size_t d = 0; d < document_count; ++d) pull[d] = scale * (p.probabilities[d] - target[d]);
    pool.parallel_for(query.group_count(), refinement.threads, [&](std::size_t g) {
      if (cancel.cancelled()) return;
      query.step(g, pull);
      query.match(g);
    });
  }
  std::copy(query.vectors().begin(), query.vectors().end(), out->query);
  out->comparisons = query.comparisons();
  return Status::success();
}

}  // namespace granule
