#include "index/segment_layout.h"

#include <utility>

#include "core/code_layout.h"

namespace granule {
namespace {

const char* name_of(Metric metric) {
  constexpr const char* kNames[] = {"ip", "cosine", "l2"};
  return kNames[static_cast<int32_t>(metric)];
}

const char* name_of(Dtype dtype) {
  constexpr const char* kNames[] = {"f32", "f16", "bf16"};
  return kNames[static_cast<int32_t>(dtype)];
}

const char* tensor_dtype(Dtype dtype) {
  constexpr const char* kNames[] = {"F32", "F16", "BF16"};
  return kNames[static_cast<int32_t>(dtype)];
}

}  // namespace

SegmentLayout::SegmentLayout(const StoreOptions& options, const SegmentContents& contents)
    : options_(options), contents_(contents) {
  const uint64_t vectors = contents.vector_count;
  const uint64_t blocks = vectors / CodeLayout::kBlockRows;
  const uint64_t coded_vectors = blocks * CodeLayout::kBlockRows;
  // Widest items first, so that each lies at a multiple of its size.
  if (contents.coded) {
    add(kCodes, "codes", "U8", 1,
        {blocks, CodeLayout::groups(options.dimension), CodeLayout::kBlockRows, CodeLayout::kGroup});
  }
  if (options.metric == Metric::squared_l2) add(kSquaredNorms, "squared_norms", "F64", 8, {vectors});
  if (options.documents) add(kOffsets, "offsets", "U64", 8, {contents.row_count + 1});
  if (contents.coded) {
    add(kScales, "scales", "F32", 4, {coded_vectors});
    add(kResidualNorms, "residual_norms", "F32", 4, {coded_vectors});
    add(kCodeNorms, "code_norms", "F32", 4, {coded_vectors});
  }
  if (contents.biased) add(kBiases, "biases", "F32", 4, {contents.row_count});
  add(kVectorChecksums, "vector_checksums", "U32", 4,
      {(vectors + CodeLayout::kBlockRows - 1) / CodeLayout::kBlockRows});
  add(kVectors, "vectors", tensor_dtype(options.dtype), bytes_of(options.dtype),
      {vectors, options.dimension});
}

void SegmentLayout::add(Kind kind, const char* name, const char* dtype, uint64_t item_bytes,
                        std::vector<uint64_t> shape) {
  uint64_t bytes = item_bytes;
  for (const uint64_t length : shape) bytes *= length;
  tensors_.push_back({{name, dtype, std::move(shape), data_bytes_, bytes}, kind});
  data_bytes_ += bytes;
}

std::string SegmentLayout::header(const std::vector<uint32_t>& checksums) const {
  TensorHeader header;
  header.add_fact("kind", options_.documents ? "multi-vector" : "flat");
  header.add_fact("metric", name_of(options_.metric));
  header.add_fact("dtype", name_of(options_.dtype));
  header.add_fact("dimension", std::to_string(options_.dimension));
  header.add_fact("rows", std::to_string(contents_.row_count));
  header.add_fact("vectors", std::to_string(contents_.vector_count));
  for (std::size_t t = 0; t < tensors_.size(); ++t) header.add_tensor(tensors_[t], checksums[t]);
  return header.bytes();
}

}  // namespace granule
