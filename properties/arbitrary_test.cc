#include "clotho/properties/arbitrary.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/fault_plan.h"
#include "clotho/properties/property.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using sim::Report;
using testing::EndsWith;

// ---- Durations. ----

CLOTHO_PROPERTY(DurationTest, SleepsTakeAsLongAsTheyShould,
                (absl::Duration duration, Delay delay)) {
  EXPECT_GE(duration, absl::ZeroDuration());
  EXPECT_GE(delay, Delay());
  co_await Sleep(duration);
  co_await Sleep(delay);
  EXPECT_EQ(GetRunningLoop().Time(), duration + delay.duration());
}

Coro<void> IsShort(Delay delay) {
  Always(delay < absl::Milliseconds(7), "short");
  co_return;
}

TEST(DurationTest, ShrinksToMilliseconds) {
  const Report report = Check(&IsShort);
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.input.values, EndsWith("= 7 ms")) << report;
}

// ---- Schedules. ----

TEST(ScheduleTest, AnyCanBeWrittenDown) {
  EXPECT_TRUE(rc::check([](const sim::Deviations& schedule) {
    const sim::ReplayString replay = {.schedule = schedule};
    const auto back = sim::ParseReplay(sim::FormatReplay(replay));
    RC_ASSERT(back.ok());
    RC_ASSERT(*back == replay);
  }));
}

Coro<void> Append(std::string& to, char letter) {
  co_await Sleep(absl::ZeroDuration());
  to += letter;
}

// They are useful: most of them change the outcome.
TEST(ScheduleTest, TheyLeadToManyExecutions) {
  std::set<std::string> seen;
  const auto body = [&seen]() -> Coro<void> {
    std::string text;
    co_await Gather(Append(text, 'a'), Append(text, 'b'), Append(text, 'c'));
    seen.insert(text);
  };
  EXPECT_TRUE(rc::check([&](const sim::Deviations& schedule) {
    const Report report = sim::Explore(
        body, sim::Fifo(),
        sim::ReplayFirst(sim::FormatReplay({.schedule = schedule})));
    RC_ASSERT(report.passed());
  }));
  EXPECT_EQ(seen.size(), 6);
}

// ---- Variants. ----

TEST(VariantTest, EachAlternativeComesAndTheFirstIsTheSimplest) {
  using Variant = std::variant<bool, int, std::string>;
  std::set<std::size_t> seen;
  EXPECT_TRUE(
      rc::check([&](const Variant& value) { seen.insert(value.index()); }));
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2));
  const rc::Shrinkable<Variant> tree =
      rc::gen::arbitrary<Variant>()(rc::Random(1), 50);
  const auto smallest =
      rc::shrinkable::findLocalMin(tree, [](const Variant&) { return true; });
  EXPECT_EQ(smallest.first, Variant(false));
}

// ---- Faults. ----

TEST(FaultPlanTest, TellsEachCallWhatBecomesOfIt) {
  FaultPlan plan(
      {{.call = 2, .kind = Fault::kDrop},
       {.call = 0, .kind = Fault::kDelay, .delay = absl::Milliseconds(5)},
       {.call = 2, .kind = Fault::kFail}});
  EXPECT_EQ(plan.Next(), (Fault{.call = 0,
                                .kind = Fault::kDelay,
                                .delay = absl::Milliseconds(5)}));
  EXPECT_EQ(plan.Next(), (Fault{.call = 1}));
  EXPECT_EQ(plan.Next(), (Fault{.call = 2, .kind = Fault::kDrop}));
  EXPECT_EQ(plan.Next(), (Fault{.call = 3}));
  EXPECT_EQ(plan.calls(), 4);
  std::ostringstream text;
  text << plan << FaultPlan();
  EXPECT_EQ(text.str(), "{call 0: delay 5 ms, call 2: drop}{}");
}

TEST(FaultPlanTest, ItsGeneratorHasItsLimits) {
  std::set<Fault::Kind> kinds;
  EXPECT_TRUE(rc::check([&] {
    const FaultPlan plan = *FaultPlans({.faults_max = 2,
                                        .calls_max = 3,
                                        .kinds = {Fault::kFail, Fault::kDrop}});
    RC_ASSERT(plan.faults().size() <= 2);
    for (const Fault& fault : plan.faults()) {
      RC_ASSERT(fault.call < 3);
      RC_ASSERT(fault.delay == Delay());
      kinds.insert(fault.kind);
    }
  }));
  EXPECT_THAT(kinds, testing::ElementsAre(Fault::kFail, Fault::kDrop));
  EXPECT_THROW(FaultPlans({.kinds = {}}), ValueError);
  EXPECT_THROW(FaultPlans({.calls_max = 0}), ValueError);
}

// Retransmits until the message is acknowledged; may give up.
class Network {
 public:
  explicit Network(FaultPlan faults) : faults_(std::move(faults)) {}

  // Returns false if the caller learns of a failure.
  Coro<bool> Send(Event& heard) {
    const Fault fault = faults_.Next();
    if (fault.kind == Fault::kFail) co_return false;
    if (fault.kind == Fault::kDrop) co_return true;
    if (fault.kind == Fault::kDelay) co_await Sleep(fault.delay);
    if (fault.kind == Fault::kRepeat) ++deliveries_;
    ++deliveries_;
    heard.Set();
    co_return true;
  }

  int deliveries() const { return deliveries_; }

 private:
  FaultPlan faults_;
  int deliveries_ = 0;
};

template <bool kWaitsForAnAnswer>
Coro<void> TriesAgain(FaultPlan faults) {
  Network network(std::move(faults));
  Event heard;
  for (int i = 0; i < 30 && !heard.IsSet(); ++i) {
    const bool sent = co_await network.Send(heard);
    if (!kWaitsForAnAnswer && sent) break;
  }
  Always(heard.IsSet(), "it arrives");
}

TEST(FaultPlanTest, ShrinksToTheFaultThatMatters) {
  const Report report = Check(&TriesAgain<false>);
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(report.input.values, EndsWith("{call 0: drop}")) << report;
  EXPECT_TRUE(Check(&TriesAgain<true>).passed());
}

}  // namespace
}  // namespace clotho::properties
