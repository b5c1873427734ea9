#include "clotho/sim/search/shrink.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clotho/sim/engine/hash.h"
#include "clotho/sim/engine/random.h"
#include "clotho/sim/engine/schedule.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

constexpr std::uint32_t kTimer = Deviation::kTimer;

// At steps 10, 20, 30 and so on, all with the same choice.
Deviations EveryTenSteps(std::size_t count, std::uint32_t choice = 1) {
  Deviations deviations;
  for (std::size_t i = 1; i <= count; ++i) {
    deviations.push_back({10 * i, choice});
  }
  return deviations;
}

bool HasStep(const Deviations& deviations, std::uint64_t step) {
  return std::ranges::find(deviations, step, &Deviation::step) !=
         deviations.end();
}

bool HasSteps(const Deviations& deviations,
              std::initializer_list<std::uint64_t> steps) {
  return std::ranges::all_of(steps, [&deviations](std::uint64_t step) {
    return HasStep(deviations, step);
  });
}

// Shrinks with a program that is a predicate, under which all deviations
// happen. Checks what is true of every shrinking.
template <typename Fails>
ShrinkResult ShrinkWith(const Deviations& failing, const Fails& fails,
                        const ShrinkOptions& options = {}) {
  std::set<std::string> seen;
  const ShrinkResult result = Shrink(
      failing,
      [&](const Deviations& candidate) -> std::optional<Deviations> {
        EXPECT_TRUE(seen.insert(FormatDeviations(candidate)).second)
            << "twice: " << FormatDeviations(candidate);
        for (std::size_t i = 1; i < candidate.size(); ++i) {
          EXPECT_LT(candidate[i - 1].step, candidate[i].step);
        }
        if (!fails(candidate)) return std::nullopt;
        return candidate;
      },
      options);
  EXPECT_EQ(result.runs, seen.size());
  EXPECT_LE(result.runs, options.runs_max);
  EXPECT_LE(result.deviations.size(), failing.size());
  if (result.deviations != failing) {
    EXPECT_TRUE(fails(result.deviations));
  }
  if (result.minimal) {
    for (std::size_t i = 0; i < result.deviations.size(); ++i) {
      Deviations without = result.deviations;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_FALSE(fails(without)) << FormatDeviations(result.deviations)
                                   << " does not need number " << i;
    }
  }
  return result;
}

TEST(ShrinkTest, NeedsOneRunToSeeThatFifoOrderFails) {
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(500), [](const Deviations&) { return true; });
  EXPECT_EQ(result.deviations, Deviations{});
  EXPECT_TRUE(result.minimal);
  EXPECT_EQ(result.runs, 1);
}

TEST(ShrinkTest, HasNothingToDoWithoutDeviations) {
  const ShrinkResult result =
      ShrinkWith({}, [](const Deviations&) { return true; });
  EXPECT_EQ(result.deviations, Deviations{});
  EXPECT_TRUE(result.minimal);
  EXPECT_EQ(result.runs, 0);
}

TEST(ShrinkTest, FindsTheOneOfFiveHundredInFewRuns) {
  for (std::uint64_t needed = 10; needed <= 5000; needed += 10) {
    const ShrinkResult result =
        ShrinkWith(EveryTenSteps(500), [needed](const Deviations& deviations) {
          return HasStep(deviations, needed);
        });
    EXPECT_EQ(FormatDeviations(result.deviations),
              std::to_string(needed) + ":1");
    EXPECT_TRUE(result.minimal);
    EXPECT_LT(result.runs, 40) << needed;
  }
}

TEST(ShrinkTest, FindsAPair) {
  for (std::uint64_t other = 10; other < 5000; other += 70) {
    const ShrinkResult result =
        ShrinkWith(EveryTenSteps(500), [other](const Deviations& deviations) {
          return HasSteps(deviations, {other, 5000});
        });
    EXPECT_EQ(FormatDeviations(result.deviations),
              std::to_string(other) + ":1,5000:1");
    EXPECT_TRUE(result.minimal);
    EXPECT_LT(result.runs, 80) << other;
  }
}

// Without the first deviation, the second one is needed a step earlier or
// later.
TEST(ShrinkTest, FollowsAStepThatMoves) {
  for (const std::uint64_t moved : {20u, 22u}) {
    const ShrinkResult result =
        ShrinkWith({{10, 1}, {21, 7}}, [moved](const Deviations& deviations) {
          const Deviation needed = {HasStep(deviations, 10) ? 21 : moved, 7};
          return std::ranges::find(deviations, needed) != deviations.end();
        });
    EXPECT_EQ(FormatDeviations(result.deviations),
              std::to_string(moved) + ":7");
    EXPECT_TRUE(result.minimal);
  }
}

TEST(ShrinkTest, FindsAConjunctionOfThree) {
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(500), [](const Deviations& deviations) {
        return HasSteps(deviations, {70, 2220, 2230});
      });
  EXPECT_EQ(FormatDeviations(result.deviations), "70:1,2220:1,2230:1");
  EXPECT_TRUE(result.minimal);
  EXPECT_LT(result.runs, 100);
}

TEST(ShrinkTest, SettlesForOneOfTwoAlternatives) {
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(100), [](const Deviations& deviations) {
        return HasSteps(deviations, {110, 220}) || HasStep(deviations, 880);
      });
  // The shortest failing prefix contains the pair and not the single one.
  EXPECT_EQ(FormatDeviations(result.deviations), "110:1,220:1");
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, LeavesOutTwoThatNeedEachOther) {
  // 40 and 60 occur together or not at all.
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(8), [](const Deviations& deviations) {
        return HasSteps(deviations, {20, 30, 80}) &&
               HasStep(deviations, 40) == HasStep(deviations, 60);
      });
  EXPECT_EQ(FormatDeviations(result.deviations), "20:1,30:1,80:1");
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, FindsTheOneThatDoesForAllThoughItWasNotThere) {
  for (const std::uint32_t choice : {1u, 2u, 4u, kTimer}) {
    const ShrinkResult result =
        ShrinkWith(EveryTenSteps(4), [choice](const Deviations& deviations) {
          return HasSteps(deviations, {10, 20, 30, 40}) ||
                 deviations == Deviations{{17, choice}};
        });
    EXPECT_EQ(result.deviations, (Deviations{{17, choice}}));
    EXPECT_TRUE(result.minimal);
  }
}

// Fails with a multiple of three deviations, so that most prefixes mislead.
TEST(ShrinkTest, IsNotLedAstrayByPrefixesThatPass) {
  for (std::size_t size = 3; size < 100; size += 3) {
    const ShrinkResult result =
        ShrinkWith(EveryTenSteps(size), [](const Deviations& deviations) {
          return !deviations.empty() && deviations.size() % 3 == 0;
        });
    EXPECT_EQ(result.deviations.size() % 3, 0);
    EXPECT_TRUE(result.minimal);
  }
}

TEST(ShrinkTest, KeepsAllOfThemIfAllAreNeeded) {
  const Deviations failing = EveryTenSteps(64);
  const ShrinkResult result =
      ShrinkWith(failing, [](const Deviations& deviations) {
        return HasSteps(deviations, {10, 640}) && deviations.size() == 64 &&
               std::ranges::all_of(deviations, [](const Deviation& deviation) {
                 return deviation.step % 10 == 0;
               });
      });
  EXPECT_EQ(result.deviations, failing);
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, PrefersTheFirstChoice) {
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(5, 9), [](const Deviations& deviations) {
        return std::ranges::any_of(deviations, [](const Deviation& deviation) {
          return deviation.step == 30 && deviation.choice >= 2;
        });
      });
  EXPECT_EQ(FormatDeviations(result.deviations), "30:2");
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, TriesTheFirstFourChoices) {
  const auto shrunk = [](std::uint32_t choice_min) {
    return FormatDeviations(
        ShrinkWith({{30, 9}}, [choice_min](const Deviations& deviations) {
          return HasStep(deviations, 30) && deviations[0].choice >= choice_min;
        }).deviations);
  };
  EXPECT_EQ(shrunk(4), "30:4");
  EXPECT_EQ(shrunk(5), "30:9");
}

TEST(ShrinkTest, PrefersAPlainChoiceToTheTimer) {
  const auto at_thirty = [](const Deviations& deviations) {
    return HasStep(deviations, 30);
  };
  EXPECT_EQ(FormatDeviations(
                ShrinkWith(EveryTenSteps(5, kTimer), at_thirty).deviations),
            "30:1");
}

TEST(ShrinkTest, KeepsTheTimerWhereNothingElseFails) {
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(5, kTimer), [](const Deviations& deviations) {
        return std::ranges::find(deviations, Deviation{30, kTimer}) !=
               deviations.end();
      });
  EXPECT_EQ(FormatDeviations(result.deviations), "30:t");
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, PrefersEarlierSteps) {
  const ShrinkResult result =
      ShrinkWith(EveryTenSteps(50), [](const Deviations& deviations) {
        return deviations.size() >= 2 && deviations[0].step >= 7 &&
               deviations[1].step >= 123;
      });
  EXPECT_EQ(FormatDeviations(result.deviations), "7:1,123:1");
  EXPECT_TRUE(result.minimal);
}

// A simpler choice may make another deviation redundant.
TEST(ShrinkTest, RemovesWhatASimplerChoiceMadeSuperfluous) {
  const ShrinkResult result =
      ShrinkWith({{10, 3}, {20, 5}}, [](const Deviations& deviations) {
        return deviations == Deviations{{10, 3}, {20, 5}} ||
               deviations == Deviations{{10, 1}, {20, 5}} ||
               deviations == Deviations{{10, 1}};
      });
  EXPECT_EQ(FormatDeviations(result.deviations), "10:1");
  EXPECT_TRUE(result.minimal);
}

// The program ends after step 45: later deviations are dropped.
TEST(ShrinkTest, GoesOnFromWhatReallyHappened) {
  std::vector<std::string> log;
  const ShrinkResult result =
      Shrink({{40, 1}, {45, 1}, {50, 1}, {60, 1}, {70, 1}, {80, 1}},
             [&](const Deviations& candidate) -> std::optional<Deviations> {
               log.push_back(FormatDeviations(candidate));
               if (!HasStep(candidate, 45)) return std::nullopt;
               Deviations happened;
               for (const Deviation& deviation : candidate) {
                 if (deviation.step <= 45) happened.push_back(deviation);
               }
               return happened;
             });
  EXPECT_EQ(FormatDeviations(result.deviations), "45:1");
  EXPECT_TRUE(result.minimal);
  EXPECT_EQ(result.runs, log.size());
  // The empty one; the half, in which two happen; the first of them; the
  // second.
  log.resize(4);
  EXPECT_EQ(log, (std::vector<std::string>{"fifo", "40:1,45:1,50:1", "40:1",
                                           "45:1"}));
}

TEST(ShrinkTest, IgnoresWhatHappenedIfThatIsNotSimpler) {
  const ShrinkResult result =
      Shrink(EveryTenSteps(4),
             [](const Deviations& candidate) -> std::optional<Deviations> {
               if (!HasStep(candidate, 20)) return std::nullopt;
               Deviations happened = candidate;
               happened.push_back({1000, 1});
               return happened;
             });
  EXPECT_EQ(FormatDeviations(result.deviations), "20:1");
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, StopsWhenItsRunsAreUsedUp) {
  const Deviations failing = EveryTenSteps(500);
  const auto fails = [](const Deviations& deviations) {
    return HasSteps(deviations, {70, 2220, 4990});
  };
  const std::uint64_t enough = ShrinkWith(failing, fails).runs;
  for (std::uint64_t runs_max = 0; runs_max < enough; ++runs_max) {
    const ShrinkResult result =
        ShrinkWith(failing, fails, {.runs_max = runs_max});
    EXPECT_EQ(result.runs, runs_max);
    if (runs_max < 10) {
      EXPECT_FALSE(result.minimal);
    }
  }
  EXPECT_EQ(ShrinkWith(failing, fails, {.runs_max = 0}).deviations, failing);
  EXPECT_TRUE(ShrinkWith(failing, fails, {.runs_max = enough}).minimal);
}

// It is known that nothing can be removed; simpler ones were still to be tried.
TEST(ShrinkTest, MayBeMinimalThoughItsRunsAreUsedUp) {
  const ShrinkResult result = ShrinkWith(
      {{10, 9}},
      [](const Deviations& deviations) { return HasStep(deviations, 10); },
      {.runs_max = 1});
  EXPECT_EQ(FormatDeviations(result.deviations), "10:9");
  EXPECT_TRUE(result.minimal);
}

TEST(ShrinkTest, StopsWhenItIsOutOfTime) {
  int asked = 0;
  const auto out_of_time = [&asked] { return ++asked > 5; };
  const ShrinkResult result = ShrinkWith(
      EveryTenSteps(500),
      [](const Deviations& deviations) { return HasStep(deviations, 70); },
      {.out_of_time = out_of_time});
  EXPECT_EQ(result.runs, 5);
  EXPECT_FALSE(result.minimal);
  EXPECT_EQ(asked, 6);  // And then never again.
}

TEST(ShrinkTest, IsDeterministic) {
  const auto trace = [] {
    StreamHash hash;
    Shrink(EveryTenSteps(100, 7),
           [&hash](const Deviations& candidate) -> std::optional<Deviations> {
             hash.Add(FormatDeviations(candidate));
             if (!HasSteps(candidate, {70, 500})) return std::nullopt;
             return candidate;
           });
    return hash.Finish();
  };
  EXPECT_EQ(trace(), trace());
}

// Programs without any pattern in what fails: ShrinkWith checks by trying that
// a result that claims to be 1-minimal is.
TEST(ShrinkTest, IsMinimalForProgramsThatFailAtRandom) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    const std::uint64_t one_in = 2 + rng.Uniform(8);
    Deviations failing;
    std::uint64_t step = 0;
    const std::uint64_t size = 1 + rng.Uniform(40);
    for (std::uint64_t i = 0; i < size; ++i) {
      step += 1 + rng.Uniform(5);
      failing.push_back({step, rng.Chance(1, 5) ? kTimer
                                                : static_cast<std::uint32_t>(
                                                      1 + rng.Uniform(6))});
    }
    const ShrinkResult result =
        ShrinkWith(failing, [&](const Deviations& deviations) {
          if (deviations.empty()) return false;
          StreamHash hash;
          hash.Add(seed);
          hash.Add(FormatDeviations(deviations));
          return hash.Finish() % one_in == 0;
        });
    EXPECT_TRUE(result.minimal);
  }
}

// Programs that fail with all deviations of one set, or with all of another,
// and with any superset.
TEST(ShrinkTest, IsMinimalForProgramsWithSeveralCauses) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const std::uint64_t size = 1 + rng.Uniform(200);
    std::vector<std::vector<std::uint64_t>> causes(1 + rng.Uniform(4));
    for (std::vector<std::uint64_t>& cause : causes) {
      cause.resize(1 + rng.Uniform(4));
      for (std::uint64_t& step : cause) step = 10 * (1 + rng.Uniform(size));
    }
    const ShrinkResult result =
        ShrinkWith(EveryTenSteps(size), [&](const Deviations& deviations) {
          return std::ranges::any_of(causes, [&](const auto& cause) {
            return std::ranges::all_of(cause, [&](std::uint64_t step) {
              return HasStep(deviations, step);
            });
          });
        });
    EXPECT_TRUE(result.minimal);
    EXPECT_LE(result.deviations.size(), 4);
  }
}

}  // namespace
}  // namespace clotho::sim
