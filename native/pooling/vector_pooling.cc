#include "pooling/vector_pooling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/canonical_dot.h"
#include "index/prepared_vectors.h"
#include "pooling/kmeans_pooling.h"
#include "pooling/squared_distance.h"
#include "pooling/ward_pooling.h"

namespace granule {
namespace {

/// Vectors of a document as an index keeps them, in float32 and, as arithmetic wants them, in float64.
class PreparedDocument {
 public:
  PreparedDocument(const DocumentsToPool& documents, uint64_t first_row, std::size_t count,
                   FirstNotFinite* first_bad)
      : dimension_(documents.dimension), narrow_(count * dimension_), wide_(count * dimension_) {
    std::vector<double> squared_norms(count);
    prepare_vectors(*kernel_table(Isa::scalar), documents.vectors + first_row * dimension_, count, dimension_,
                    documents.metric, first_row, narrow_.data(), squared_norms.data(), first_bad);
    std::copy(narrow_.begin(), narrow_.end(), wide_.begin());
  }

  const float* narrow(std::size_t vector) const { return narrow_.data() + vector * dimension_; }
  const double* wide(std::size_t vector) const { return wide_.data() + vector * dimension_; }

 private:
  std::size_t dimension_;
  std::vector<float> narrow_;
  std::vector<double> wide_;
};

/// At least the square root of `squared`, a sum of at most 65,536 squares over eight lanes.
///
/// Every difference of two float32 in float64, every square, every addition (at most 8,195 one after another)
/// and the root err by a factor of 1 + 2^-53 at most, together by less than 1 + 2^-40; nothing underflows,
/// for the least difference of two float32 is 2^-149. The factor 1 + 2^-36 covers that and its own rounding.
/// The last step, to float32, goes up.
float rounded_up_root(double squared) {
  const double root = std::sqrt(squared) * (1 + 0x1p-36);
  if (root > std::numeric_limits<float>::max()) return std::numeric_limits<float>::infinity();
  const auto rounded = static_cast<float>(root);
  return static_cast<double>(rounded) < root ? std::nextafter(rounded, std::numeric_limits<float>::infinity())
                                             : rounded;
}

/// Numbers the groups 0, 1, ... in the order of their lowest members. @return how many there are
uint32_t renumber(uint32_t* labels, std::size_t count) {
  constexpr uint32_t kNone = static_cast<uint32_t>(-1);
  std::vector<uint32_t> numbers(count, kNone);
  uint32_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    uint32_t& number = numbers[labels[i]];
    if (number == kNone) number = next++;
    labels[i] = number;
  }
  return next;
}

/// Divides one document. @return false where cancelled
bool partition(const DocumentsToPool& documents, const PreparedDocument& document, std::size_t length,
               std::size_t kept, const CancelFlag& cancel, uint32_t* labels, uint32_t* groups) {
  const std::size_t alone = kept == length ? length : std::min<std::size_t>(documents.protect, length);
  std::iota(labels, labels + alone, 0u);
  *groups = static_cast<uint32_t>(alone);
  if (alone == length) return true;
  const std::size_t rest = length - alone;
  uint32_t* rest_labels = labels + alone;
  const double* points = document.wide(alone);
  const std::size_t clusters = kept - alone;
  const bool done =
      documents.method == PoolingMethod::ward
          ? ward_labels(points, rest, documents.dimension, clusters, cancel, rest_labels)
          : kmeans_labels(points, rest, documents.dimension, clusters, kKmeansRounds, cancel, rest_labels);
  if (!done) return false;
  *groups += renumber(rest_labels, rest);
  for (std::size_t i = 0; i < rest; ++i) rest_labels[i] += static_cast<uint32_t>(alone);
  return true;
}

/// Writes the pooled vector of `members` and its radius.
void write_pooled(const DocumentsToPool& documents, const PreparedDocument& document, uint64_t first_row,
                  const uint32_t* members, std::size_t size, std::vector<double>* mean, float* vector,
                  float* radius) {
  const std::size_t dimension = documents.dimension;
  if (size == 1) {
    const float* member = document.narrow(members[0] - first_row);
    std::copy(member, member + dimension, vector);
    *radius = 0;
    return;
  }
  mean->assign(dimension, 0.0);
  double* values = mean->data();
  for (std::size_t m = 0; m < size; ++m) {
    const double* member = document.wide(members[m] - first_row);
    for (std::size_t d = 0; d < dimension; ++d) values[d] += member[d];
  }
  for (std::size_t d = 0; d < dimension; ++d) values[d] /= static_cast<double>(size);
  if (documents.metric == Metric::cosine) {
    const double norm = std::sqrt(canonical_dot(values, values, dimension));
    if (norm > 0) {
      for (std::size_t d = 0; d < dimension; ++d) values[d] /= norm;
    }
  }
  for (std::size_t d = 0; d < dimension; ++d) {
    vector[d] = static_cast<float>(values[d]);
    values[d] = vector[d];
  }
  double greatest = 0;
  for (std::size_t m = 0; m < size; ++m) {
    const double* member = document.wide(members[m] - first_row);
    greatest = std::max(greatest, squared_distance(member, values, dimension));
  }
  *radius = rounded_up_root(greatest);
}

/// Writes what a document's labels say, from pooled vector `first_pooled` on.
void write_document(const DocumentsToPool& documents, const PreparedDocument& document, uint64_t first_row,
                    std::size_t length, const uint32_t* labels, uint32_t groups, uint64_t first_pooled,
                    const PooledDocuments& out) {
  std::vector<uint32_t> next(groups, 0);
  for (std::size_t i = 0; i < length; ++i) ++next[labels[i]];
  uint32_t offset = static_cast<uint32_t>(first_row);
  for (uint32_t g = 0; g < groups; ++g) {
    out.offsets[first_pooled + g] = offset;
    const uint32_t size = next[g];
    next[g] = offset;
    offset += size;
  }
  for (std::size_t i = 0; i < length; ++i) {
    out.rows[next[labels[i]]++] = static_cast<uint32_t>(first_row + i);
  }
  std::vector<double> mean;
  for (uint32_t g = 0; g < groups; ++g) {
    const uint32_t begin = out.offsets[first_pooled + g];
    write_pooled(documents, document, first_row, out.rows + begin, next[g] - begin, &mean,
                 out.vectors + (first_pooled + g) * documents.dimension, out.radii + first_pooled + g);
  }
}

}  // namespace

Status pool_vectors(ThreadPool& pool, const DocumentsToPool& documents, const CancelFlag& cancel,
                    const PooledDocuments& out, uint64_t* pooled_count) {
  const std::size_t count = documents.document_count;
  std::vector<uint64_t> first_rows(count + 1, 0);
  for (std::size_t d = 0; d < count; ++d) first_rows[d + 1] = first_rows[d] + documents.lengths[d];
  FirstNotFinite first_bad;
  const auto prepared = [&](std::size_t d) {
    return PreparedDocument(documents, first_rows[d], documents.lengths[d], &first_bad);
  };
  const Status aborted = Status::failure(StatusCode::aborted, "the pooling was aborted");

  pool.parallel_for(count, documents.threads, [&](std::size_t d) {
    if (!cancel.cancelled()) prepared(d);
  });
  if (cancel.cancelled()) return aborted;
  if (Status status = first_bad.status("row"); !status.ok()) return status;

  std::vector<uint32_t> labels(first_rows[count]);
  pool.parallel_for(count, documents.threads, [&](std::size_t d) {
    if (cancel.cancelled()) return;
    partition(documents, prepared(d), documents.lengths[d], documents.kept[d], cancel,
              labels.data() + first_rows[d], out.lengths + d);
  });
  if (cancel.cancelled()) return aborted;

  std::vector<uint64_t> first_pooled(count + 1, 0);
  for (std::size_t d = 0; d < count; ++d) first_pooled[d + 1] = first_pooled[d] + out.lengths[d];
  pool.parallel_for(count, documents.threads, [&](std::size_t d) {
    if (cancel.cancelled()) return;
    write_document(documents, prepared(d), first_rows[d], documents.lengths[d], labels.data() + first_rows[d],
                   out.lengths[d], first_pooled[d], out);
  });
  if (cancel.cancelled()) return aborted;
  out.offsets[first_pooled[count]] = static_cast<uint32_t>(first_rows[count]);
  *pooled_count = first_pooled[count];
  return first_bad.status("row");
}

}  // namespace granule
