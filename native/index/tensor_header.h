#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace granule {

/// A tensor of a safetensors file.
struct FileTensor {
  const char* name;
  /// As safetensors names it.
  const char* dtype;
  std::vector<uint64_t> shape;
  /// Behind the header.
  uint64_t offset;
  uint64_t bytes;
};

/// What comes before the tensors of a segment file: 8 bytes of length and JSON, together a multiple of 64
/// bytes.
class TensorHeader {
 public:
  /// Facts come before the tensors. Values need no escapes.
  void add_fact(const char* name, const std::string& value);
  /// @param checksum CRC-32C of its bytes
  void add_tensor(const FileTensor& tensor, uint32_t checksum);
  std::string bytes() const;

 private:
  std::string metadata_ = R"("format":"granule-segment","version":"1")";
  std::string entries_;
};

}  // namespace granule
