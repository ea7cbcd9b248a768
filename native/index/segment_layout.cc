#include "index/segment_layout.h"

#include <utility>

#include "core/code_layout.h"

namespace granule {
namespace {

constexpr std::size_t kHeaderAlignment = 64;

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

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string hexadecimal(uint32_t value) {
  std::string out(8, '0');
  for (std::size_t i = 8; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
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
  tensors_.push_back({kind, name, dtype, std::move(shape), data_bytes_, bytes});
  data_bytes_ += bytes;
}

std::string SegmentLayout::header(const std::vector<uint32_t>& checksums) const {
  std::string json = R"({"__metadata__":{"format":"granule-segment","version":"1","kind":)";
  json += quoted(options_.documents ? "multi-vector" : "flat");
  json += R"(,"metric":)" + quoted(name_of(options_.metric));
  json += R"(,"dtype":)" + quoted(name_of(options_.dtype));
  json += R"(,"dimension":)" + quoted(std::to_string(options_.dimension));
  json += R"(,"rows":)" + quoted(std::to_string(contents_.row_count));
  json += R"(,"vectors":)" + quoted(std::to_string(contents_.vector_count));
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    json += ",\"crc32c_" + std::string(tensors_[t].name) + "\":" + quoted(hexadecimal(checksums[t]));
  }
  json += '}';
  for (const Tensor& tensor : tensors_) {
    json += ',' + quoted(tensor.name) + R"(:{"dtype":)" + quoted(tensor.dtype) + R"(,"shape":[)";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (i != 0) json += ',';
      json += std::to_string(tensor.shape[i]);
    }
    json += R"(],"data_offsets":[)" + std::to_string(tensor.offset) + ',' +
            std::to_string(tensor.offset + tensor.bytes) + "]}";
  }
  json += '}';
  const std::size_t bytes = 8 + json.size();
  json.append((kHeaderAlignment - bytes % kHeaderAlignment) % kHeaderAlignment, ' ');
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<char>(static_cast<uint64_t>(json.size()) >> (8 * i) & 0xff);
  }
  return out + json;
}

}  // namespace granule
