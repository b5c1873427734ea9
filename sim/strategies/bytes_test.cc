// Schedules read from bytes: the format, bit by bit, and the reports of
// failures.

#include "clotho/sim/strategies/bytes.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/choice.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/strategy.h"
#include "clotho/sim/options.h"
#include "clotho/sim/report/report.h"
#include "clotho/sim/search/explore.h"
#include "clotho/sim/strategies/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

using Alternatives = std::vector<std::uint64_t>;

std::string String(const std::vector<int>& bytes) {
  return std::string(bytes.begin(), bytes.end());
}

// The alternatives taken at `choices` choices of `size` alternatives each.
Alternatives Taken(const std::vector<int>& bytes, std::size_t choices,
                   std::uint64_t size) {
  BytesStrategy strategy(String(bytes));
  Rng rng(1);
  strategy.BeginExecution(rng);
  Alternatives taken;
  for (std::size_t i = 0; i < choices; ++i) {
    taken.push_back(strategy.ChooseValue(
        {.step = i + 1, .size = size, .numerator = 1, .denominator = 2}, rng));
  }
  return taken;
}

// The only deviation, as the choice (from 1) and the alternative; 0, 0: there
// is none, or several.
std::pair<std::size_t, std::uint64_t> DeviationIn(const std::vector<int>& bytes,
                                                  std::uint64_t size) {
  const Alternatives taken = Taken(bytes, 100'000, size);
  std::pair<std::size_t, std::uint64_t> deviation;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i] == 0) continue;
    if (deviation.first != 0) return {};
    deviation = {i + 1, taken[i]};
  }
  return deviation;
}

TEST(BytesTest, WhatIsNotThereIsFifoOrder) {
  EXPECT_THAT(Taken({}, 3, 5), ElementsAre(0, 0, 0));
  EXPECT_THAT(Taken({0x01}, 3, 5), ElementsAre(1, 0, 0));
}

TEST(BytesTest, AByteIsAGapAndADeviation) {
  EXPECT_THAT(Taken({0x01, 0x02, 0x13, 0x04}, 6, 9),
              ElementsAre(1, 2, 0, 3, 4, 0));
  EXPECT_EQ(DeviationIn({0xfe}, 100), std::pair(std::size_t{16}, 14ul));
}

TEST(BytesTest, LongGapsAreShort) {
  EXPECT_EQ(DeviationIn({0x00, 0x01}, 2).first, 2u);
  EXPECT_EQ(DeviationIn({0x10, 0x01}, 2).first, 3u);
  EXPECT_EQ(DeviationIn({0x60, 0x01}, 2).first, 65u);
  EXPECT_EQ(DeviationIn({0xf0, 0x00, 0x21}, 2).first, 32'768u + 1 + 2 + 1);
}

TEST(BytesTest, LargeNumbersFollowInLeb128) {
  EXPECT_EQ(DeviationIn({0x0f, 0x00}, 1000).second, 15u);
  EXPECT_EQ(DeviationIn({0x0f, 0x7f}, 1000).second, 15u + 127);
  EXPECT_EQ(DeviationIn({0x0f, 0x81, 0x02}, 1000).second, 15u + 1 + 2 * 128);
  // At most three bytes: the fourth begins the next record.
  EXPECT_THAT(Taken({0x0f, 0xff, 0xff, 0xff, 0x01}, 3, 1u << 22),
              ElementsAre(15 + (1u << 21) - 1, 1, 0));
  // Missing bytes are zeros.
  EXPECT_EQ(DeviationIn({0x0f}, 1000).second, 15u);
  EXPECT_EQ(DeviationIn({0x0f, 0x83}, 1000).second, 15u + 3);
}

TEST(BytesTest, ANumberThatIsTooLargeGoesRound) {
  EXPECT_THAT(Taken({1, 2, 3, 4, 5}, 5, 3), ElementsAre(1, 2, 1, 2, 1));
  EXPECT_THAT(Taken({1, 2, 14, 15}, 5, 2), ElementsAre(1, 1, 1, 1, 0));
}

TEST(BytesTest, AChoiceOfOneIsNone) {
  BytesStrategy strategy(String({0x01}));
  Rng rng(1);
  strategy.BeginExecution(rng);
  EXPECT_EQ(strategy.ChooseValue({.step = 1, .size = 1}, rng), 0u);
  EXPECT_EQ(strategy.ChooseValue({.step = 2, .size = 2}, rng), 1u);
}

TEST(BytesTest, EachExecutionReadsFromTheBeginning) {
  BytesStrategy strategy(String({0x12, 0x01}));
  Rng rng(1);
  for (int i = 0; i < 2; ++i) {
    strategy.BeginExecution(rng);
    EXPECT_EQ(strategy.ChooseValue({.step = 1, .size = 4}, rng), 0u);
    EXPECT_EQ(strategy.ChooseValue({.step = 2, .size = 4}, rng), 2u);
  }
}

// ---- In a search. ----

auto Give() { return Sleep(absl::ZeroDuration()); }

Coro<void> Append(std::string* log, char name) {
  for (int i = 0; i < 3; ++i) {
    *log += name;
    co_await Give();
  }
}

Coro<void> Interleave(std::string* log) {
  log->clear();
  Task<void> a = CreateTask(Append(log, 'a'));
  Task<void> b = CreateTask(Append(log, 'b'));
  co_await a;
  co_await b;
}

std::string OrderUnder(const std::string& bytes) {
  std::string log;
  const Report report =
      Explore([&log] { return Interleave(&log); }, Bytes{.bytes = bytes});
  EXPECT_TRUE(report.passed()) << report;
  EXPECT_EQ(report.search.executions, 1u);
  return log;
}

TEST(BytesTest, NoBytesAreFifoOrder) {
  EXPECT_EQ(OrderUnder(""), "ababab");
  EXPECT_EQ(OrderUnder(String({0x00, 0x50, 0xf0})), "ababab");
  EXPECT_NE(OrderUnder(String({0x11})), "ababab");
}

TEST(BytesTest, EveryStringIsASchedule) {
  // All of one byte, then many longer ones.
  for (int byte = 0; byte < 256; ++byte) OrderUnder(String({byte}));
  Rng rng(7);
  for (int i = 0; i < 500; ++i) {
    std::vector<int> bytes(rng.Uniform(40));
    for (int& byte : bytes) byte = static_cast<int>(rng.Uniform(256));
    EXPECT_EQ(OrderUnder(String(bytes)).size(), 6u);
    EXPECT_EQ(OrderUnder(String(bytes)), OrderUnder(String(bytes)));
  }
}

// Fails if b is first and last, and the environment decides so.
Coro<void> Fragile() {
  auto log = std::make_unique<std::string>();
  co_await Interleave(log.get());
  if (log->substr(0, 2) != "bb" && log->back() != 'a') co_return;
  Always(Choose(3) != 2, "the environment is friendly");
}

TEST(BytesTest, AFailureBecomesAnOrdinaryReplayString) {
  Rng rng(3);
  for (int i = 0; i < 10'000; ++i) {
    std::vector<int> bytes(1 + rng.Uniform(12));
    for (int& byte : bytes) byte = static_cast<int>(rng.Uniform(256));
    const Report found = Explore(Fragile, Bytes{.bytes = String(bytes)});
    if (found.passed()) continue;
    EXPECT_EQ(found.search.strategy, "bytes");
    ASSERT_TRUE(std::holds_alternative<Deviations>(found.replay.schedule));
    // Shrunk like any other failure.
    EXPECT_TRUE(found.shrinking.minimal);
    EXPECT_LE(std::get<Deviations>(found.replay.schedule).size(), 5u);
    const absl::StatusOr<Report> again =
        Replay(Fragile, FormatReplay(found.replay));
    ASSERT_TRUE(again.ok());
    ASSERT_FALSE(again->passed());
    EXPECT_EQ(again->failure()->signature, found.failure()->signature);
    EXPECT_EQ(again->trace_hash, found.trace_hash);
    return;
  }
  FAIL() << "no string found it";
}

TEST(BytesTest, TheTimerIsTheLastAlternative) {
  // The only choice is between main's next step and the timer.
  const auto body = []() -> Coro<void> {
    auto fired = std::make_unique<bool>(false);
    TimerHandle timer = GetRunningLoop().CallLater(
        absl::Seconds(1), [fired = fired.get()] { *fired = true; });
    co_await Give();
    Always(!*fired, "the timer waits for its turn");
    timer.Cancel();
  };
  EXPECT_TRUE(Explore(body, Bytes{}).passed());
  const Report report = Explore(body, Bytes{.bytes = String({0x01})});
  ASSERT_FALSE(report.passed());
  EXPECT_THAT(std::get<Deviations>(report.replay.schedule),
              ElementsAreArray({Deviation{2, Deviation::kTimer}}));
}

// ---- Writing bytes. ----

// Makes the given choices.
class Told final : public Strategy {
 public:
  explicit Told(Alternatives alternatives)
      : alternatives_(std::move(alternatives)) {}
  void BeginExecution(Rng&) override { next_ = 0; }
  std::size_t Choose(const ChoicePoint&) override { return 0; }
  std::uint64_t ChooseValue(const ValueChoice&, Rng&) override {
    return alternatives_[next_++];
  }

 private:
  const Alternatives alternatives_;
  std::size_t next_ = 0;
};

std::string Written(const Alternatives& alternatives, std::uint64_t size) {
  Told told(alternatives);
  BytesWriter writer(told);
  Rng rng(1);
  writer.BeginExecution(rng);
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    writer.ChooseValue(
        {.step = i + 1, .size = size, .numerator = 1, .denominator = 2}, rng);
  }
  return writer.bytes();
}

TEST(BytesWriterTest, WritesAsFewAsItCan) {
  EXPECT_EQ(Written({0, 0, 0}, 5), "");
  EXPECT_EQ(Written({1, 0, 0}, 5), String({0x01}));
  EXPECT_EQ(Written({1, 2, 0, 3, 4, 0}, 9), String({0x01, 0x02, 0x13, 0x04}));
  Alternatives late(65, 0);
  late.back() = 1;
  EXPECT_EQ(Written(late, 2), String({0x60, 0x01}));
}

TEST(BytesWriterTest, WhatIsWrittenIsReadAgain) {
  Rng rng(17);
  for (int i = 0; i < 2'000; ++i) {
    const std::uint64_t size = 2 + (std::uint64_t{1} << rng.Uniform(20));
    // From only FIFO choices to none at all.
    const std::uint64_t fifo = rng.Uniform(200);
    Alternatives alternatives;
    for (std::uint64_t j = rng.Uniform(400); j > 0; --j) {
      alternatives.push_back(rng.Uniform(fifo + 1) != 0 ? 0
                                                        : rng.Uniform(size));
    }
    const std::string bytes = Written(alternatives, size);
    EXPECT_EQ(Taken(std::vector<int>(bytes.begin(), bytes.end()),
                    alternatives.size(), size),
              alternatives)
        << "size " << size;
  }
}

// Chooses at random, and saves the bytes.
class Saves final : public Strategy {
 public:
  explicit Saves(std::string& bytes) : bytes_(bytes) {}
  void BeginExecution(Rng& rng) override { writer_.BeginExecution(rng); }
  std::size_t Choose(const ChoicePoint& point) override {
    return writer_.Choose(point);
  }
  std::uint64_t ChooseValue(const ValueChoice& choice, Rng& rng) override {
    return writer_.ChooseValue(choice, rng);
  }
  void EndExecution() override { bytes_ = writer_.bytes(); }

 private:
  std::string& bytes_;
  RandomStrategy random_;
  BytesWriter writer_{random_};
};

TEST(BytesWriterTest, TheProgramDoesTheSame) {
  std::string story;
  const auto body = [&story]() -> Coro<void> {
    story.clear();
    const auto worker = [&story](char name) -> Coro<void> {
      for (int i = 0; i < 3; ++i) {
        story += name;
        co_await Sleep(absl::Milliseconds(Choose(3)));
      }
    };
    std::vector<Coro<void>> all;
    for (char name = 'a'; name < 'u'; ++name) all.push_back(worker(name));
    co_await Gather(std::move(all));
  };
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::string bytes;
    Explore(body,
            CustomStrategy{
                .make_strategy = [&] { return std::make_unique<Saves>(bytes); },
                .schedules = 1,
                .seed = seed});
    const std::string told = story;
    Explore(body, Bytes{bytes});
    EXPECT_EQ(story, told) << "seed " << seed;
  }
}

}  // namespace
}  // namespace clotho::sim
