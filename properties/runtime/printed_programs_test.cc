// Printed programs compile, and behave like their interpretation: same notes,
// in every execution of several searches.

#include "clotho/properties/runtime/printed_programs.h"

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "clotho/properties/runtime/program_notes.h"
#include "clotho/properties/runtime/program_runner.h"
#include "clotho/properties/runtime/programs.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/failure.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gtest/gtest.h"

namespace clotho::properties {
namespace {

// The results of a search: the notes of each execution, and how it ended.
struct Seen {
  std::list<std::vector<std::string>> notes;
  std::string
      replay;  // Of a deadlock: its schedule, and a hash of the choices.
  std::uint64_t steps = 0;

  bool operator==(const Seen&) const = default;
};

Seen Search(const std::function<Coro<void>()>& program, sim::Search search) {
  Seen seen;
  search.shrink_runs_max = 0;
  const sim::Report report = sim::RunSearch(
      [&] {
        SetNotes(&seen.notes.emplace_back());
        return program();
      },
      search, "");
  SetNotes(nullptr);
  seen.steps = report.search.steps;
  if (!report.passed()) {
    EXPECT_EQ(report.failure()->kind, sim::FailureKind::kDeadlock) << report;
    seen.replay = sim::FormatReplay(report.replay);
  }
  return seen;
}

template <int kFile>
void Compare() {
  int notes = 0;
  for (int seed = kFile * kPrintedInFile; seed < (kFile + 1) * kPrintedInFile;
       ++seed) {
    const Program program = PrintedProgram(seed);
    const auto interpreted = [&program] {
      RunOptions options;
      options.observers.push_back(MakeNotesObserver());
      return RunProgram(program, options);
    };
    const auto printed = [seed] { return RunPrinted<kFile>(seed); };
    // Without strategies that distinguish tasks by their functions.
    for (const sim::Search& search :
         {sim::MakeSearch(sim::Fifo()),
          sim::MakeSearch(sim::Random{.schedules = 10}),
          sim::MakeSearch(sim::Random{.schedules = 5}, sim::FifoOnly()),
          sim::MakeSearch(sim::Exhaustive{.deviations_max = 2,
                                          .schedules = 30,
                                          .allow_incomplete = true})}) {
      const Seen expected = Search(interpreted, search);
      const Seen seen = Search(printed, search);
      ASSERT_EQ(seen.notes, expected.notes) << program;
      ASSERT_EQ(seen.replay, expected.replay) << program;
      ASSERT_EQ(seen.steps, expected.steps) << program;
      for (const auto& execution : seen.notes) {
        notes += static_cast<int>(execution.size());
      }
    }
  }
  EXPECT_GT(notes, 20 * kPrintedInFile);  // The comparison was not empty.
}

TEST(PrintedProgramsTest, First) { Compare<0>(); }
TEST(PrintedProgramsTest, Second) { Compare<1>(); }
TEST(PrintedProgramsTest, Third) { Compare<2>(); }
TEST(PrintedProgramsTest, Fourth) { Compare<3>(); }
static_assert(kPrintedFiles == 4);

}  // namespace
}  // namespace clotho::properties
