// Choose, Buggify: decisions of the environment, for the explorer to make.
//
//   if (sim::Buggify()) co_await Sleep(absl::Seconds(1));  // A slow disk.
//   const std::size_t replica = sim::Choose(replicas.size());
//
// Each is a decision of the execution, recorded and shrunk like those of the
// schedule: 0 and false are what happens in FIFO order, and all that happens
// in production. So a failure is reported with the fewest mishaps that lead to
// it.

#ifndef CLOTHO_SIM_CHOICE_H_
#define CLOTHO_SIM_CHOICE_H_

#include <cstdint>
#include <source_location>

namespace clotho::sim {

// A number from 0 to `size` - 1. Random strategies take them to be equally
// likely. Throws ValueError unless `size` is from 1 to a million. Outside of a
// simulation it is 0.
std::uint64_t Choose(std::uint64_t size, std::source_location location =
                                             std::source_location::current());

// Whether something rare happens here. Random strategies let it happen in
// `percent` of the cases, and in three of four executions not at all at this
// place, so that mishaps come alone as well as together. (FoundationDB's
// BUGGIFY works like that: Zhou et al., SIGMOD 2021.) Throws ValueError unless
// `percent` is from 0 to 100. Outside of a simulation it is false.
bool Buggify(int percent = 25,
             std::source_location location = std::source_location::current());

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_CHOICE_H_
