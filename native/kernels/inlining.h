#pragma once

// Where an inner loop takes its epilogue as a callable, or its step as a type, only inlining keeps sums and
// captures in registers; and only if what rarely runs stays outside do they keep them.
#if defined(__GNUC__)
#define GRANULE_ALWAYS_INLINE __attribute__((always_inline)) inline
#define GRANULE_NEVER_INLINE __attribute__((noinline))
#else
#define GRANULE_ALWAYS_INLINE __forceinline
#define GRANULE_NEVER_INLINE __declspec(noinline)
#endif
