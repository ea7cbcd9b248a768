#include "core/time_slice.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace granule {

#if defined(__linux__) && defined(SYS_sched_getattr) && defined(SYS_sched_setattr)

namespace {

constexpr uint64_t kSliceNanoseconds = 20'000'000;

/// The kernel's struct sched_attr in its first size; C libraries before 2024 do not declare it.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

void lengthen_time_slice() {
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  if (attributes.policy != SCHED_OTHER && attributes.policy != SCHED_BATCH) return;
  attributes.size = sizeof attributes;
  attributes.runtime = kSliceNanoseconds;
  // Where it is refused, all stays as it is.
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

#else

void lengthen_time_slice() {}

#endif

}  // namespace granule
