#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "clotho/sim/engine/failure.h"
#include "clotho/sim/report/report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

using Verdict = Report::Verdict;

Failure FailureOf(FailureKind kind) {
  return {.kind = kind, .what = "what", .signature = "signature"};
}

// Each function that gives a verdict, with the verdict.
struct Transition {
  Verdict verdict;
  std::function<void(Report&)> run;
};

std::vector<Transition> Transitions() {
  const Failure reason = FailureOf(FailureKind::kException);
  return {
      {Verdict::kFailed, [=](Report& report) { report.Fail(reason); }},
      {Verdict::kNondeterministic,
       [=](Report& report) { report.FailAsNondeterministic(reason); }},
      {Verdict::kDiverged, [](Report& report) { report.Diverge("what"); }},
      {Verdict::kMisused, [](Report& report) { report.Misuse("what"); }},
      {Verdict::kGoalMissed, [=](Report& report) { report.MissGoal(reason); }},
      {Verdict::kIncomplete, [=](Report& report) { report.CutShort(reason); }},
      {Verdict::kDiscarded, [=](Report& report) { report.Discard(reason); }},
      {Verdict::kSkipped, [=](Report& report) { report.Skip(reason); }},
  };
}

TEST(VerdictTest, OnlyAReportThatHasPassedGetsOne) {
  for (const Transition& first : Transitions()) {
    Report report;
    EXPECT_TRUE(report.passed());
    EXPECT_FALSE(report.failure().has_value());
    first.run(report);
    EXPECT_EQ(report.verdict(), first.verdict);
    EXPECT_FALSE(report.passed());
    ASSERT_TRUE(report.failure().has_value());
    EXPECT_EQ(report.failure()->what, "what");
    for (const Transition& second : Transitions()) {
      if (first.verdict == Verdict::kFailed &&
          second.verdict == Verdict::kNondeterministic) {
        continue;
      }
      EXPECT_THROW(second.run(report), std::logic_error)
          << VerdictName(first.verdict) << ", " << VerdictName(second.verdict);
      EXPECT_EQ(report.verdict(), first.verdict);
    }
  }
}

TEST(VerdictTest, OnlyAFailureHasAKind) {
  for (const Transition& transition : Transitions()) {
    Report report;
    transition.run(report);
    const bool failed = transition.verdict == Verdict::kFailed;
    EXPECT_EQ(report.failure()->kind,
              failed ? FailureKind::kException : FailureKind::kNone);
    EXPECT_EQ(report.KindName(),
              failed ? "exception" : VerdictName(transition.verdict));
  }
  for (const FailureKind kind :
       {FailureKind::kNone, FailureKind::kDiscarded, FailureKind::kSucceeded,
        FailureKind::kSkipped}) {
    Report report;
    EXPECT_THROW(report.Fail(FailureOf(kind)), std::logic_error);
    EXPECT_TRUE(report.passed());
  }
}

TEST(VerdictTest, AFailureMayTurnOutToBeNondeterministic) {
  Report differs;
  differs.Fail(FailureOf(FailureKind::kAlways));
  differs.FailAsNondeterministic({.what = "two runs differ"});
  EXPECT_EQ(differs.verdict(), Verdict::kNondeterministic);
  EXPECT_EQ(differs.failure()->what, "two runs differ");
  EXPECT_EQ(differs.KindName(), "not deterministic");
  EXPECT_THAT(differs.Text(), AllOf(StartsWith("WHAT      two runs differ\n"),
                                    HasSubstr("\nSUSPECT   a real clock")));

  Report lost;
  EXPECT_THROW(lost.LoseDeterminism(), std::logic_error);
  lost.Fail(FailureOf(FailureKind::kAlways));
  lost.LoseDeterminism();
  EXPECT_EQ(lost.verdict(), Verdict::kNondeterministic);
  EXPECT_EQ(lost.failure()->kind, FailureKind::kAlways);
  EXPECT_EQ(lost.KindName(), "always");
  EXPECT_THROW(lost.LoseDeterminism(), std::logic_error);
}

TEST(VerdictTest, AnExhaustedSearchIsNotCutShort) {
  Report report;
  report.search.exhausted = true;
  EXPECT_THROW(report.CutShort(FailureOf(FailureKind::kNone)),
               std::logic_error);
  report.MissGoal(FailureOf(FailureKind::kNone));
  EXPECT_TRUE(report.incomplete());
}

// Whatever the verdict, the report says at least what happened.
TEST(VerdictTest, EachHasAText) {
  for (const Transition& transition : Transitions()) {
    Report report;
    report.search = {.strategy = "random", .executions = 3};
    transition.run(report);
    const std::string text = report.Text();
    EXPECT_THAT(text, StartsWith("WHAT      what\n"));
    EXPECT_EQ(text.find("\nSUSPECT") != text.npos,
              transition.verdict == Verdict::kNondeterministic);
    EXPECT_EQ(
        text.find("SEARCH    random, base seed 0, 3 executions\n") != text.npos,
        report.incomplete());
    EXPECT_EQ(text.find("t = 0 s") == text.npos, report.incomplete());
  }
}

}  // namespace
}  // namespace clotho::sim
