// asyncio's general promises, checked on random programs under every strategy.
// programs_faults_test.cc shows how effective this is.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "clotho/properties/runtime/program_checks.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/sim/options.h"
#include "clotho/sim/search/search.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

namespace clotho::properties {
namespace {

// Every strategy, in both orderings if it supports both.
std::vector<sim::Search> Searches() {
  constexpr std::uint64_t kSchedules = 4;
  std::vector<sim::Search> searches;
  const auto add = [&searches](const auto& strategy) {
    searches.push_back(sim::MakeSearch(strategy));
    searches.push_back(sim::MakeSearch(strategy, sim::FifoOnly()));
  };
  add(sim::Fifo());
  add(sim::Random{.schedules = 2 * kSchedules});
  add(sim::RoleRandom{.schedules = kSchedules});
  // These learn from four executions before they start.
  add(sim::Pct{.schedules = 4 + kSchedules});
  add(sim::Pos{.schedules = 4 + kSchedules});
  add(sim::Urw{.schedules = 4 + kSchedules});
  add(sim::Surw{.schedules = 4 + kSchedules});
  add(sim::DelayBounded{.schedules = 4 + kSchedules});
  add(sim::Guided{.schedules = 4 + kSchedules});
  add(sim::Fuzz{.schedules = 4 + kSchedules});
  add(sim::Exhaustive{.schedules = 3 * kSchedules, .allow_incomplete = true});
  add(sim::Exhaustive{.deviations_max = 1,
                      .schedules = 3 * kSchedules,
                      .allow_incomplete = true});
  add(sim::Bytes{std::string("\x03\x01\x00\x02\x07\x00\x01\xff\x05\x01", 10)});
  searches.push_back(sim::MakeSearch(sim::Exhaustive{
      .schedules = 3 * kSchedules, .allow_incomplete = true, .reduce = true}));
  return searches;
}

RC_GTEST_PROP(ProgramsProperty, TheRuntimeKeepsItsPromises,
              (const Program& program)) {
  static const std::vector<sim::Search>& searches =
      *new std::vector<sim::Search>(Searches());
  const auto drawn = *rc::gen::noShrink(rc::gen::container<std::vector<int>>(
      3, rc::gen::inRange(0, static_cast<int>(searches.size()))));
  for (const int which : drawn) {
    sim::Search search = searches[static_cast<std::size_t>(which)];
    search.seed = Size(program);
    const ProgramVerdict verdict = CheckProgram(program, search);
    RC_LOG() << search.strategy << (search.fifo_only ? ", strict" : "") << ": "
             << verdict.wrong;
    RC_ASSERT(verdict.wrong.empty());
    // The same seed gives the same executions.
    if (which != drawn.front()) continue;
    const ProgramVerdict again = CheckProgram(program, search);
    RC_ASSERT(again.hash == verdict.hash);
    RC_ASSERT(again.steps == verdict.steps);
  }
}

}  // namespace
}  // namespace clotho::properties
