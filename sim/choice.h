// Choose, Buggify: decisions of the environment, made by the explorer.
//
//   if (sim::Buggify()) co_await Sleep(absl::Seconds(1));  // A slow disk.
//   const std::size_t replica = sim::Choose(replicas.size());
//
// Each one is a decision of the execution, recorded and shrunk like those of
// the schedule. FIFO order always yields 0 and false, and so does production.
// So a failure is reported with the fewest mishaps that lead to it.

#ifndef CLOTHO_SIM_CHOICE_H_
#define CLOTHO_SIM_CHOICE_H_

#include <cstdint>
#include <source_location>

namespace clotho::sim {

// A number from 0 to `size` - 1. Random strategies make all of them equally
// likely. Throws ValueError unless `size` is from 1 to a million. Returns 0
// outside a simulation.
std::uint64_t Choose(std::uint64_t size, std::source_location location =
                                             std::source_location::current());

// Whether something rare happens here. Random strategies return true in
// `percent` of the calls, and in three of four executions never at this place,
// so that mishaps occur alone as well as together. (Like FoundationDB's
// BUGGIFY: Zhou et al., SIGMOD 2021.) Throws ValueError unless `percent` is
// from 0 to 100. Returns false outside a simulation.
bool Buggify(int percent = 25,
             std::source_location location = std::source_location::current());

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_CHOICE_H_
