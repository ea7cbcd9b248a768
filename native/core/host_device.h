#pragma once

/// Marks what runs on the device and on the host, where it is tested.
#if defined(__CUDACC__)
#define GRANULE_HD __host__ __device__
#else
#define GRANULE_HD
#endif
