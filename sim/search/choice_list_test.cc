#include "clotho/sim/search/choice_list.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim::internal {
namespace {

using testing::ElementsAre;

// "2: 0 2 t": the step, and the alternatives.
std::vector<std::string> ListOf(const Body& body, const Deviations& deviations,
                                std::size_t choices_max = 10) {
  Simulator simulator;
  ChoiceList list(deviations, choices_max);
  simulator.Run(body, list, {});
  std::vector<std::string> lines;
  for (const ChoiceList::Others& others : list.steps()) {
    std::string& line = lines.emplace_back(absl::StrCat(others.step, ":"));
    for (const auto choice : others.choices) {
      absl::StrAppend(&line, " ",
                      choice == Deviation::kTimer ? "t" : absl::StrCat(choice));
    }
  }
  return lines;
}

Coro<void> Nothing() { co_return; }

Coro<void> ThreeTasksAndATimer() {
  Task<void> a = CreateTask(Nothing());
  Task<void> b = CreateTask(Nothing());
  Task<void> c = CreateTask(Nothing());
  co_await clotho::Sleep(absl::Seconds(1));
  co_await Gather(a, b, c);
}

TEST(ChoiceListTest, NamesAllButWhatWasTaken) {
  EXPECT_THAT(ListOf(ThreeTasksAndATimer, {}),
              ElementsAre("2: 1 2 t", "3: 1 t", "4: t"));
  EXPECT_THAT(ListOf(ThreeTasksAndATimer, {{2, 1}}),
              ElementsAre("2: 0 2 t", "3: 1 t", "4: t"));
  EXPECT_THAT(ListOf(ThreeTasksAndATimer, {{4, Deviation::kTimer}}),
              ElementsAre("2: 1 2 t", "3: 1 t", "4: 0", "5: 1"));
}

TEST(ChoiceListTest, NamesNoMoreThanItIsAskedFor) {
  EXPECT_THAT(ListOf(ThreeTasksAndATimer, {}, 1),
              ElementsAre("2: 1 t", "3: 1 t", "4: t"));
}

TEST(ChoiceListTest, NamesValues) {
  const auto body = []() -> Coro<void> {
    Choose(3);
    co_return;
  };
  EXPECT_THAT(ListOf(body, {}), ElementsAre("2: 1 2"));
  EXPECT_THAT(ListOf(body, {{2, 2}}), ElementsAre("2: 0 1"));
}

}  // namespace
}  // namespace clotho::sim::internal
