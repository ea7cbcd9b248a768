#include "training/contrast_exclusions.h"

#include <algorithm>

namespace granule {

NumbersByKey::NumbersByKey(const std::vector<uint32_t>& keys) {
  sorted_.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) sorted_.emplace_back(keys[i], static_cast<uint32_t>(i));
  std::sort(sorted_.begin(), sorted_.end());
}

std::vector<NumbersByKey::Entry>::const_iterator NumbersByKey::first(uint32_t key) const {
  return std::lower_bound(sorted_.begin(), sorted_.end(), Entry{key, 0});
}

ContrastExclusions::ContrastExclusions(const ContrastBatch& batch) : batch_(batch) {
  if (batch.groups != nullptr) documents_ = NumbersByKey({batch.groups, batch.groups + batch.document_count});
  if (batch.groups != nullptr || batch.positives != nullptr) {
    std::vector<uint32_t> keys(batch.query_count);
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = key(i);
    queries_ = NumbersByKey(keys);
  }
  if (batch.excluded_ends == nullptr) return;
  for (std::size_t i = 0; i < batch.query_count; ++i)
    excluded_for_.resize(batch.excluded_ends[i], static_cast<uint32_t>(i));
  excluded_places_ = NumbersByKey({batch.excluded, batch.excluded + excluded_for_.size()});
}

void ContrastExclusions::from_query(std::size_t i, float* similarities) const {
  if (batch_.groups != nullptr) {
    documents_.each(key(i), [&](uint32_t j) {
      if (j != positive(i)) similarities[j] = kExcluded;
    });
  }
  if (batch_.excluded_ends == nullptr) return;
  for (uint32_t at = i == 0 ? 0 : batch_.excluded_ends[i - 1]; at < batch_.excluded_ends[i]; ++at)
    similarities[batch_.excluded[at]] = kExcluded;
}

void ContrastExclusions::from_positive(std::size_t i, float* similarities) const {
  queries_.each(key(i), [&](uint32_t k) {
    if (k != i) similarities[k] = kExcluded;
  });
  excluded_places_.each(static_cast<uint32_t>(positive(i)),
                        [&](uint32_t at) { similarities[excluded_for_[at]] = kExcluded; });
}

uint32_t ContrastExclusions::key(std::size_t i) const {
  const std::size_t j = positive(i);
  return batch_.groups == nullptr ? static_cast<uint32_t>(j) : batch_.groups[j];
}

}  // namespace granule
