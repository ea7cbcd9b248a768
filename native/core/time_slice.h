#pragma once

namespace granule {

/// Lets threads that wake, such as one with an event loop, run before the calling thread ends its turn.
///
/// The threads of a pool can fill every core. Linux orders threads by virtual deadlines, a time slice ahead
/// each; with the usual slice a worker that has just woken is often due before the thread that wakes next,
/// which then waits for a tick of the clock, 4 ms. A longer slice puts the worker's deadline off and leaves
/// its share of the core as it is. Kernels before 6.12 and other systems know no such thing; the call does
/// nothing there.
void lengthen_time_slice();

}  // namespace granule
