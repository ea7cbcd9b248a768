#include "index/mapped_vectors.h"

#include <algorithm>
#include <utility>

#include "core/code_layout.h"

namespace granule {
namespace {

constexpr uint64_t kBlock = CodeLayout::kBlockRows;

}  // namespace

MappedVectors::MappedVectors(MappedFile mapping, std::string name, uint64_t offset, uint64_t vector_count,
                             std::size_t vector_bytes, AlignedBuffer<uint32_t> checksums, Crc32c* crc32c)
    : mapping_(std::move(mapping)),
      name_(std::move(name)),
      data_(mapping_.data() + offset),
      vector_count_(vector_count),
      vector_bytes_(vector_bytes),
      checksums_(std::move(checksums)),
      crc32c_(crc32c),
      checked_((checksums_.size() + 63) / 64) {}

bool MappedVectors::verify(uint64_t first_vector, uint64_t count) const {
  if (count == 0) return true;
  const uint64_t last = (first_vector + count - 1) / kBlock;
  for (uint64_t block = first_vector / kBlock; block <= last; ++block) {
    // Relaxed: the bit publishes nothing but itself, for the bytes were there before all threads.
    const uint64_t bit = uint64_t{1} << (block & 63);
    if ((checked_[block >> 6].load(std::memory_order_relaxed) & bit) != 0) continue;
    if (!verify_block(block)) return false;
    checked_[block >> 6].fetch_or(bit, std::memory_order_relaxed);
  }
  return true;
}

bool MappedVectors::verify_block(uint64_t block) const {
  const uint64_t begin = block * kBlock;
  const uint64_t end = std::min(vector_count_, begin + kBlock);
  if (crc32c_(0, data_ + begin * vector_bytes_, (end - begin) * vector_bytes_) == checksums_[block])
    return true;
  damaged_block_.store(block, std::memory_order_relaxed);
  return false;
}

Status MappedVectors::damage() const {
  const uint64_t block = damaged_block_.load(std::memory_order_relaxed);
  if (block == kSound) return Status::success();
  return Status::of_file(StatusCode::index_corrupt, name_, damaged_vectors(block, vector_count_));
}

std::string damaged_vectors(uint64_t block, uint64_t vector_count) {
  const uint64_t last = std::min(vector_count, (block + 1) * kBlock) - 1;
  return "is damaged: vectors " + std::to_string(block * kBlock) + " to " + std::to_string(last) +
         " do not match their checksum";
}

}  // namespace granule
