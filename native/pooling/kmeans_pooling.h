#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel_flag.h"

namespace granule {

/// Rounds of assignment after which k-means stops where it has not settled.
inline constexpr std::size_t kKmeansRounds = 10;

/// Divides points into at most `clusters` groups by k-means: k-means++ from a fixed seed, then Lloyd's rounds
/// of assignment to the nearest mean, until nothing changes or `rounds` are done. The sum of squared
/// distances to the means does not grow from round to round.
///
/// Of equally near means the lowest number wins. A group that lost all its points takes the point that is
/// farthest from its mean, the lowest of several. There are fewer groups than asked for where there are fewer
/// different points.
///
/// @param points count x dimension
/// @param clusters from 1 to count
/// @param rounds at least 1
/// @param labels count numbers of groups, below `clusters`; not every number need be used
/// @return false where cancelled; `labels` then holds nothing of use
/// @throws std::bad_alloc
bool kmeans_labels(const double* points, std::size_t count, std::size_t dimension, std::size_t clusters,
                   std::size_t rounds, const CancelFlag& cancel, uint32_t* labels);

}  // namespace granule
