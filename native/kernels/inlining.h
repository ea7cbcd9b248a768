#pragma once

// Where an inner loop takes its epilogue as a callable, or its step as a type, only inlining keeps sums and
// captures in registers.
#if defined(__GNUC__)
#define GRANULE_ALWAYS_INLINE __attribute__((always_inline)) inline
#else
#define GRANULE_ALWAYS_INLINE __forceinline
#endif
