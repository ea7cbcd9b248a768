#include "index/tensor_header.h"

namespace granule {
namespace {

constexpr std::size_t kHeaderAlignment = 64;

std::string quoted(const std::string& text) { return '"' + text + '"'; }

std::string hexadecimal(uint32_t value) {
  std::string out(8, '0');
  for (std::size_t i = 8; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

}  // namespace

void TensorHeader::add_fact(const char* name, const std::string& value) {
  metadata_ += ',' + quoted(name) + ':' + quoted(value);
}

void TensorHeader::add_tensor(const FileTensor& tensor, uint32_t checksum) {
  metadata_ += ",\"crc32c_" + std::string(tensor.name) + "\":" + quoted(hexadecimal(checksum));
  entries_ += ',' + quoted(tensor.name) + R"(:{"dtype":)" + quoted(tensor.dtype) + R"(,"shape":[)";
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i != 0) entries_ += ',';
    entries_ += std::to_string(tensor.shape[i]);
  }
  entries_ += R"(],"data_offsets":[)" + std::to_string(tensor.offset) + ',' +
              std::to_string(tensor.offset + tensor.bytes) + "]}";
}

std::string TensorHeader::bytes() const {
  std::string json = R"({"__metadata__":{)" + metadata_ + '}' + entries_ + '}';
  const std::size_t unpadded = 8 + json.size();
  json.append((kHeaderAlignment - unpadded % kHeaderAlignment) % kHeaderAlignment, ' ');
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<char>(static_cast<uint64_t>(json.size()) >> (8 * i) & 0xff);
  }
  return out + json;
}

}  // namespace granule
