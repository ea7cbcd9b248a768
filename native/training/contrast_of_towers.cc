#include "training/contrast_of_towers.h"

#include <string>

#include "core/aligned_buffer.h"

namespace granule {
namespace {

/// A side on its way forwards and backwards.
class Side {
 public:
  Side(const char* name, const ContrastTower& tower, std::size_t dimension)
      : name_(name),
        tower_(tower),
        outputs_(tower.shape == nullptr ? 0 : tower.rows * dimension),
        hidden_(tower.shape == nullptr ? 0 : tower.rows * tower.shape->hidden),
        norms_(tower.shape != nullptr && tower.shape->normalise ? tower.rows : 0),
        gradient_(tower.rows * dimension) {}

  Status forward(const MatrixWorkers& workers) {
    if (tower_.shape == nullptr) return Status::success();
    Status status = tower_forward(workers, *tower_.shape, tower_.parameters, tower_.inputs, tower_.rows,
                                  {outputs_.data(), hidden_.data(), norms_.data()});
    if (!status.ok()) status.message = std::string(name_) + ": " + status.message;
    return status;
  }

  Status backward(const MatrixWorkers& workers) {
    if (tower_.shape == nullptr) return Status::success();
    return tower_backward(workers, *tower_.shape, tower_.parameters, tower_.gradients,
                          {tower_.inputs, tower_.rows, outputs_.data(), hidden_.data(), norms_.data(),
                           gradient_.data(), nullptr});
  }

  const float* vectors() const { return tower_.shape == nullptr ? tower_.inputs : outputs_.data(); }
  float* gradient() { return gradient_.data(); }

 private:
  const char* name_;
  const ContrastTower& tower_;
  AlignedBuffer<float> outputs_;
  AlignedBuffer<float> hidden_;
  AlignedBuffer<double> norms_;
  AlignedBuffer<float> gradient_;
};

}  // namespace

Status contrast_of_towers(const MatrixWorkers& workers, const ContrastTower& query,
                          const ContrastTower& document, const ContrastBatch& batch, std::size_t kept_bytes,
                          ContrastOfTowers* out) {
  Side queries("queries", query, batch.dimension), documents("documents", document, batch.dimension);
  for (Side* side : {&queries, &documents}) {
    if (Status status = side->forward(workers); !status.ok()) return status;
  }
  ContrastBatch vectors = batch;
  vectors.queries = queries.vectors();
  vectors.query_count = query.rows;
  vectors.documents = documents.vectors();
  vectors.document_count = document.rows;
  ContrastGradients gradients{queries.gradient(), documents.gradient(), 0, 0};
  if (Status status = in_batch_contrast(workers, vectors, kept_bytes, &gradients); !status.ok())
    return status;
  for (Side* side : {&queries, &documents}) {
    if (Status status = side->backward(workers); !status.ok()) return status;
  }
  *out = {gradients.loss, gradients.temperature};
  return Status::success();
}

}  // namespace granule
