// What asyncio promises to every program.

#include <cstdint>
#include <iostream>

#include "clotho/properties/program_checks.h"
#include "clotho/properties/programs.h"
#include "clotho/sim/options.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {
TEST(Try, It) {
  std::uint64_t executions = 0, steps = 0; int deadlocks = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Program program = RandomProgram(rc::Random(seed), 3 + seed % 25);
    for (const sim::Search& search : {sim::MakeSearch(sim::Random{.schedules = 10}), sim::MakeSearch(sim::Fuzz{.schedules = 10}, sim::Strict())}) {
      const ProgramVerdict v = CheckProgram(program, search);
      executions += v.executions; steps += v.steps; deadlocks += v.deadlock;
      if (!v.wrong.empty()) {
        std::cout << "seed " << seed << "\n" << v.wrong.substr(0, 300) << std::endl;
        ADD_FAILURE() << seed;
        break;
      }
    }
  }
  std::cout << executions << " " << steps << " " << deadlocks << "\n";
}
}  // namespace
}  // namespace clotho::properties
