#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/cancel_flag.h"
#include "index/engine.h"
#include "index/segment.h"

namespace granule {

/// Empty segments, in the order in which they are to be filled.
class ReservedSegments {
 public:
  /// The first with room for `vectors`, which is no longer among them; null where none has.
  std::shared_ptr<Segment> take(std::size_t vectors);
  void put(std::vector<std::shared_ptr<Segment>> segments);

  std::size_t vector_capacity() const;
  std::size_t bytes() const;

 private:
  std::vector<std::shared_ptr<Segment>> segments_;
};

/// Writes to every page of empty segments, so that the system gives them out now. Stops where it is
/// cancelled.
void touch_segments(Engine& engine, const std::vector<std::shared_ptr<Segment>>& segments, unsigned threads,
                    const CancelFlag& cancel);

}  // namespace granule
