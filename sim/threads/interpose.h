// The C library's functions of threads, locks and clocks, for simulated
// threads: see interpose.cc.

#ifndef CLOTHO_SIM_THREADS_INTERPOSE_H_
#define CLOTHO_SIM_THREADS_INTERPOSE_H_

namespace clotho::sim::internal {

// Does nothing. A linker takes interpose.cc out of a static library only for
// those who name something in it.
void UseInterposition();

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_THREADS_INTERPOSE_H_
