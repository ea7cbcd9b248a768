#include "late_interaction/document_scores.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/finite.h"
#include "core/ranked_list.h"
#include "index/prepared_vectors.h"
#include "late_interaction/similarity_tile.h"

namespace granule {
namespace {

/// The similarity that is not finite of the first document that has one, whichever thread meets it when.
class FirstBadDocument {
 public:
  explicit FirstBadDocument(std::size_t documents) : document_(documents) {}

  /// Whether a document before this one has been reported.
  bool before(std::size_t document) const { return document_.load(std::memory_order_relaxed) < document; }

  void report(std::size_t document, Status status) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (before(document)) return;
    document_.store(document, std::memory_order_relaxed);
    status_ = std::move(status);
  }

  const Status& status() const { return status_; }

 private:
  std::atomic<std::size_t> document_;
  std::mutex mutex_;
  Status status_;
};

/// One thread's part: documents, one after the other.
class DocumentScorer {
 public:
  DocumentScorer(const KernelTable& kernels, const DocumentScoring& job, const WidenedQueries& queries)
      : kernels_(kernels),
        job_(job),
        queries_(queries),
        scorer_(kernels, job.scoring),
        exact_(kTileBlock * kTileBlock) {}

  /// @return not_finite, or success, also where cancelled
  Status score(std::size_t document, uint64_t first_row, const CancelFlag& cancel,
               const DocumentScores& out) {
    const std::size_t length = job_.lengths[document];
    uint32_t* best = out.vectors + document * job_.query_vectors;
    float* greatest = out.similarities + document * job_.query_vectors;
    std::fill(best, best + job_.query_vectors, kNoRow);
    std::fill(greatest, greatest + job_.query_vectors, -std::numeric_limits<float>::infinity());
    if (length == 0) {
      out.scores[document] = -std::numeric_limits<double>::infinity();
      return Status::success();
    }
    if (!multiply(job_.documents + first_row * job_.dimension, length, cancel, best, greatest)) {
      return first_not_finite(tile_.data(), length, static_cast<int64_t>(document));
    }
    if (cancel.cancelled()) return Status::success();
    out.scores[document] = scorer_.score({tile_.data(), job_.query_vectors, length, greatest}, cancel);
    return Status::success();
  }

 private:
  /// Fills the tile. @return whether all of it is finite; true where cancelled
  bool multiply(const float* document, std::size_t length, const CancelFlag& cancel, uint32_t* best,
                float* greatest) {
    // Not cleared: that takes as long as a tenth of the scoring, and cannot be stopped.
    const std::size_t similarities = job_.query_vectors * length;
    if (tile_.size() < similarities) tile_ = AlignedBuffer<float>(similarities);
    bool finite = true;
    for (std::size_t j = 0; j < length; j += kTileBlock) {
      for (std::size_t i = 0; i < job_.query_vectors; i += kTileBlock) {
        if (cancel.cancelled()) return true;
        const TileBlock block{i, std::min(kTileBlock, job_.query_vectors - i), j,
                              std::min(kTileBlock, length - j)};
        finite = multiply_block(kernels_, queries_, job_.dimension, document, block, exact_.data(),
                                tile_.data(), length) &&
                 finite;
        for (std::size_t q = 0; q < block.queries; ++q) {
          kernels_.maxsim_fold(exact_.data() + q * kTileBlock, block.vectors, static_cast<uint32_t>(j),
                               greatest + i + q, best + i + q);
        }
      }
    }
    return finite;
  }

  const KernelTable& kernels_;
  const DocumentScoring& job_;
  const WidenedQueries& queries_;
  TileScorer scorer_;
  std::vector<double> exact_;
  AlignedBuffer<float> tile_;
};

/// @return not_finite with the matrix's name, row and column
Status check_matrix(const float* matrix, std::size_t order, const char* name, const CancelFlag& cancel) {
  if (matrix == nullptr) return Status::success();
  for (std::size_t row = 0; row < order && !cancel.cancelled(); ++row) {
    const float* values = matrix + row * order;
    if (all_finite(values, order)) continue;
    std::size_t column = 0;
    while (all_finite(values + column, 1)) ++column;
    return Status::failure(StatusCode::not_finite,
                           std::string(name) + " is " + show_not_finite(values[column]) + " at " +
                               std::to_string(row) + ", " + std::to_string(column),
                           static_cast<int64_t>(row), static_cast<int64_t>(column));
  }
  return Status::success();
}

Status check_mixing(const DocumentScoring& job, const CancelFlag& cancel) {
  const BiIsaMixing& mixing = job.scoring.mixing;
  // All documents that have vectors are of one length where a matrix over them is given.
  std::size_t length = 0;
  for (std::size_t d = 0; d < job.document_count; ++d) length = std::max<std::size_t>(length, job.lengths[d]);
  for (const auto& [matrix, order, name] :
       {std::tuple{mixing.words, job.query_vectors, "wordMixing"},
        std::tuple{mixing.over_patches, length, "overPatchesMixing"},
        std::tuple{mixing.patches, length, "patchMixing"},
        std::tuple{mixing.over_words, job.query_vectors, "overWordsMixing"}}) {
    if (Status status = check_matrix(matrix, order, name, cancel); !status.ok()) return status;
  }
  return Status::success();
}

}  // namespace

Status score_documents(ThreadPool& pool, const KernelTable& kernels, const DocumentScoring& job,
                       const CancelFlag& cancel, const DocumentScores& out) {
  if (Status status = check_mixing(job, cancel); !status.ok()) return status;
  std::vector<uint64_t> first_rows(job.document_count, 0);
  for (std::size_t d = 1; d < job.document_count; ++d) first_rows[d] = first_rows[d - 1] + job.lengths[d - 1];
  const WidenedQueries queries(job.query, job.query_vectors, job.dimension, Metric::inner_product);
  std::vector<std::unique_ptr<DocumentScorer>> scorers(job.threads);
  FirstBadDocument first_bad(job.document_count);
  pool.parallel_for_slots(job.document_count, job.threads, [&](std::size_t document, std::size_t slot) {
    if (cancel.cancelled() || first_bad.before(document)) return;
    if (!scorers[slot]) scorers[slot] = std::make_unique<DocumentScorer>(kernels, job, queries);
    Status status = scorers[slot]->score(document, first_rows[document], cancel, out);
    if (!status.ok()) first_bad.report(document, std::move(status));
  });
  if (cancel.cancelled()) return Status::failure(StatusCode::aborted, "the scoring was aborted");
  return first_bad.status();
}

}  // namespace granule
