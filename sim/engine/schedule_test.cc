#include "clotho/sim/engine/schedule.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clotho/sim/engine/random.h"
#include "gtest/gtest.h"

namespace clotho::sim {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t kTimer = Deviation::kTimer;

struct Good {
  std::string text;
  ReplayString replay;
};

std::vector<Good> GoodStrings() {
  return {
      {"c1/0/fifo", {}},
      {"c1/0/fifo/0000", {.check = 0}},
      {"c1/8f21/fifo", {.program_seed = 0x8f21}},
      {"c1/ffffffffffffffff/fifo", {.program_seed = UINT64_MAX}},
      {"c1/8f21.12/fifo", {.program_seed = 0x8f21, .input = "12"}},
      {"c1/0.12.0-3_1.Z/4:1/b7e2",
       {.input = "12.0-3_1.Z",
        .schedule = Deviations{{4, 1}},
        .check = 0xb7e2}},
      {"c1/0/4:1", {.schedule = Deviations{{4, 1}}}},
      {"c1/0/4:1/b7e2", {.schedule = Deviations{{4, 1}}, .check = 0xb7e2}},
      {"c1/0/5:t", {.schedule = Deviations{{5, kTimer}}}},
      {"c1/0/5:d", {.schedule = Deviations{{5, Deviation::Due(1)}}}},
      {"c1/0/5:d2,7:d1000",
       {.schedule =
            Deviations{{5, Deviation::Due(2)}, {7, Deviation::Due(1'000)}}}},
      {"c1/0/1:2,5:t,9:1",
       {.schedule = Deviations{{1, 2}, {5, kTimer}, {9, 1}}}},
      {"c1/0/1099511627776:1048576",
       {.schedule = Deviations{{kStepMax, kChoiceMax}}}},
      {"c1/0/+random:118", {.schedule = StrategyRun{"random", "", 118}}},
      {"c1/0/+random:0", {.schedule = StrategyRun{"random", "", 0}}},
      {"c1/0/+pct:2:118", {.schedule = StrategyRun{"pct", "2", 118}}},
      {"c1/0/+my_own:a.b_C-9:0:18446744073709551615/0a0f",
       {.schedule = StrategyRun{"my_own", "a.b_C-9:0", UINT64_MAX},
        .check = 0x0a0f}},
      {"c1/0/@out/replay.txt", {.schedule = ReplayFile{"out/replay.txt"}}},
      // All of it is the path.
      {"c1/0/@/a+b,c:d@e_f-g/b7e2",
       {.schedule = ReplayFile{"/a+b,c:d@e_f-g/b7e2"}}},
  };
}

TEST(ParseReplayTest, ReadsEveryForm) {
  for (const Good& good : GoodStrings()) {
    const absl::StatusOr<ReplayString> replay = ParseReplay(good.text);
    ASSERT_TRUE(replay.ok()) << replay.status();
    EXPECT_EQ(*replay, good.replay) << good.text;
  }
}

TEST(FormatReplayTest, WritesEveryForm) {
  for (const Good& good : GoodStrings()) {
    EXPECT_EQ(FormatReplay(good.replay), good.text);
  }
}

TEST(FormatReplayTest, APathHasItsCheckInTheFile) {
  EXPECT_EQ(FormatReplay({.schedule = ReplayFile{"a"}, .check = 1}), "c1/0/@a");
}

TEST(FormatDeviationsTest, WritesTheScheduleAlone) {
  EXPECT_EQ(FormatDeviations({}), "fifo");
  EXPECT_EQ(FormatDeviations({{4, 1}, {9, kTimer}}), "4:1,9:t");
}

std::string ErrorOf(std::string_view text) {
  const absl::StatusOr<ReplayString> replay = ParseReplay(text);
  if (replay.ok()) return "none";
  EXPECT_EQ(replay.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(replay.status().message());
}

struct Bad {
  std::string text;
  std::size_t character;  // From 1.
  std::string message;    // After the character, before the excerpt.
};

// For strings that are printable and fit on a line.
void ExpectErrors(const std::vector<Bad>& table) {
  for (const Bad& bad : table) {
    EXPECT_EQ(ErrorOf(bad.text), "replay string, character " +
                                     std::to_string(bad.character) + ": " +
                                     bad.message + "\n  " + bad.text + "\n  " +
                                     std::string(bad.character - 1, ' ') + "^");
  }
}

constexpr char kVersionHint[] =
    " is unknown: this build reads c1, as in c1/0/4:1";
constexpr char kSeedHint[] =
    "expected lower-case hexadecimal digits, as in c1/8f21/fifo";
constexpr char kScheduleHint[] =
    "expected fifo, deviations such as 4:1,9:t, a strategy such as "
    "+pct:2:118, or a file such as @path";
constexpr char kStepHint[] = "expected the number of a step, as in 4:1";
constexpr char kChoiceHint[] =
    "expected a choice such as 4:1, or t or d for the next timer";
constexpr char kExecutionHint[] =
    "expected the number of an execution at the end, as in +pct:2:118";
constexpr char kCheckHint[] =
    "expected four lower-case hexadecimal digits, as in c1/0/4:1/b7e2";

TEST(ParseReplayTest, PointsAtTheCharacter) {
  EXPECT_EQ(ErrorOf("c1/0/4:x"),
            "replay string, character 8: choice \"x\" is not a number: "
            "expected a choice such as 4:1, or t or d for the next timer\n"
            "  c1/0/4:x\n"
            "         ^");
}

TEST(ParseReplayTest, SaysWhatIsMissingFromATruncatedString) {
  EXPECT_EQ(ErrorOf(""),
            "replay string is empty: expected one such as c1/0/4:1");
  const std::string seed =
      "the program seed is missing: expected hexadecimal digits, as in "
      "c1/8f21/fifo";
  const std::string schedule = "the schedule is missing: "s + kScheduleHint;
  const std::string choice = "the choice of step 4 is missing: "s + kChoiceHint;
  ExpectErrors({
      {"c", 1, "format version \"c\""s + kVersionHint},
      {"c1", 3, seed},
      {"c1/", 4, seed},
      {"c1/0", 5, schedule},
      {"c1/0/", 6, schedule},
      {"c1/0/4", 7, choice},
      {"c1/0/4:", 8, choice},
      {"c1/0/4:1,", 10, "a deviation is missing: expected one such as 4:1"},
      {"c1/0/4:1/", 10, "the check is missing: "s + kCheckHint},
      {"c1/0/4:1/b7e", 13, "check \"b7e\" is not one: "s + kCheckHint},
      {"c1/0/+", 7,
       "the strategy is missing: expected letters a-z and _, as in "
       "+pct:2:118"},
      {"c1/0/+pct", 10, "the execution is missing: "s + kExecutionHint},
      {"c1/0/+pct:2:", 13, "the execution is missing: "s + kExecutionHint},
      {"c1/0/@", 7,
       "the path is missing: expected characters 0-9 A-Z a-z . / : , + @ _ -, "
       "as in @out/replay"},
  });
}

TEST(ParseReplayTest, NamesTheVersionThatItReads) {
  ExpectErrors({
      {"c2/0/4:1", 1, "format version \"c2\""s + kVersionHint},
      {"C1/0/4:1", 1, "format version \"C1\""s + kVersionHint},
      {"c01/0/4:1", 1, "format version \"c01\""s + kVersionHint},
      {" c1/0/4:1", 1, "format version \" c1\""s + kVersionHint},
      {"4:1", 1, "format version \"4:1\""s + kVersionHint},
  });
}

TEST(ParseReplayTest, RejectsBadProgramSeeds) {
  ExpectErrors({
      {"c1/8F21/fifo", 5,
       "program seed \"8F21\" is not a number: "s + kSeedHint},
      {"c1/0x1/fifo", 5, "program seed \"0x1\" is not a number: "s + kSeedHint},
      {"c1/-1/fifo", 4, "program seed \"-1\" is not a number: "s + kSeedHint},
      {"c1/08/fifo", 4,
       "program seed \"08\" begins with 0: expected no leading zeros"},
      {"c1/10000000000000000/fifo", 4,
       "program seed \"10000000000000000\" is out of range: the limit is 16 "
       "hexadecimal digits"},
  });
}

TEST(ParseReplayTest, RejectsBadInputs) {
  const std::string hint =
      "expected characters 0-9 A-Z a-z . _ -, as in c1/8f21.12/4:1";
  ExpectErrors({
      {"c1/.12/fifo", 4,
       "the program seed is missing: expected hexadecimal digits, as in "
       "c1/8f21/fifo"},
      {"c1/0./fifo", 6, "the input is missing: " + hint},
      {"c1/0.", 6, "the input is missing: " + hint},
      {"c1/0.1 2/fifo", 7, "input \"1 2\" has a \" \": " + hint},
      {"c1/0.12:1/fifo", 8, "input \"12:1\" has a \":\": " + hint},
  });
  EXPECT_EQ(ErrorOf("c1/0." + std::string(kReplayTextMax, '1') + "/fifo"),
            "none");
  EXPECT_NE(ErrorOf("c1/0." + std::string(kReplayTextMax + 1, '1') + "/fifo")
                .find("is too long"),
            std::string::npos);
}

TEST(ParseReplayTest, RejectsUnknownSchedules) {
  ExpectErrors({
      {"c1/0/Plain", 6, "schedule \"Plain\" is unknown: "s + kScheduleHint},
      {"c1/0/plainer", 6, "schedule \"plainer\" is unknown: "s + kScheduleHint},
      {"c1/0/fifo,4:1", 6,
       "schedule \"fifo,4:1\" is unknown: "s + kScheduleHint},
      {"c1/0/ 4:1", 6, "schedule \" 4:1\" is unknown: "s + kScheduleHint},
      {"c1/0/-4:1", 6, "schedule \"-4:1\" is unknown: "s + kScheduleHint},
      {"c1/0//b7e2", 6, "schedule \"\" is unknown: "s + kScheduleHint},
  });
}

TEST(ParseReplayTest, RejectsBadSteps) {
  ExpectErrors({
      {"c1/0/4a:1", 7, "step \"4a\" is not a number: "s + kStepHint},
      {"c1/0/4 :1", 7, "step \"4 \" is not a number: "s + kStepHint},
      {"c1/0/4:1, 5:1", 10, "step \" 5\" is not a number: "s + kStepHint},
      {"c1/0/4:1,x", 10, "step \"x\" is not a number: "s + kStepHint},
      {"c1/0/04:1", 6, "step \"04\" begins with 0: expected no leading zeros"},
      {"c1/0/0:1", 6,
       "step \"0\" is out of range: expected 1 to 1099511627776"},
      {"c1/0/1099511627777:1", 6,
       "step \"1099511627777\" is out of range: expected 1 to 1099511627776"},
      {"c1/0/18446744073709551617:1", 6,
       "step \"18446744073709551617\" is out of range: expected 1 to "
       "1099511627776"},
      {"c1/0/4:1,4:2", 10,
       "step 4 does not come after step 4: expected rising steps"},
      {"c1/0/4:1,3:2", 10,
       "step 3 does not come after step 4: expected rising steps"},
      {"c1/0/4:1,,5:1", 10, "a deviation is missing: expected one such as 4:1"},
  });
}

TEST(ParseReplayTest, RejectsBadChoices) {
  ExpectErrors({
      {"c1/0/4:+1", 8, "choice \"+1\" is not a number: "s + kChoiceHint},
      {"c1/0/4:1 ", 9, "choice \"1 \" is not a number: "s + kChoiceHint},
      {"c1/0/4:T", 8, "choice \"T\" is not a number: "s + kChoiceHint},
      {"c1/0/4:1:2", 9, "choice \"1:2\" is not a number: "s + kChoiceHint},
      {"c1/0/4:1.5", 9, "choice \"1.5\" is not a number: "s + kChoiceHint},
      {"c1/0/4:01", 8,
       "choice \"01\" begins with 0: expected no leading zeros"},
      {"c1/0/4:0", 8, "choice \"0\" is out of range: expected 1 to 1048576"},
      {"c1/0/4:1048577", 8,
       "choice \"1048577\" is out of range: expected 1 to 1048576"},
      {"c1/0/4:4294967295", 8,
       "choice \"4294967295\" is out of range: expected 1 to 1048576"},
  });
}

TEST(ParseReplayTest, RejectsBadBoundaries) {
  ExpectErrors({
      {"c1/0/4:d0", 9, "boundary \"0\" is out of range: expected 2 to 1000"},
      {"c1/0/4:d1", 9, "boundary \"1\" is out of range: expected 2 to 1000"},
      {"c1/0/4:d1001", 9,
       "boundary \"1001\" is out of range: expected 2 to 1000"},
      {"c1/0/4:d02", 9,
       "boundary \"02\" begins with 0: expected no leading zeros"},
      {"c1/0/4:d2d", 10,
       "boundary \"2d\" is not a number: expected d for the first, or the "
       "number of another, as in 4:d2"},
  });
}

TEST(ParseReplayTest, SaysThatItKnowsNoFaults) {
  ExpectErrors({
      {"c1/0/17:drop", 9,
       "choice \"drop\" is not a number, and faults are not known to this "
       "build: "s +
           kChoiceHint},
      {"c1/0/4:up.b", 8,
       "choice \"up.b\" is not a number, and faults are not known to this "
       "build: "s +
           kChoiceHint},
      {"c1/0/4:1,23:crash.b", 13,
       "choice \"crash.b\" is not a number, and faults are not known to this "
       "build: "s +
           kChoiceHint},
  });
}

TEST(ParseReplayTest, RejectsBadStrategies) {
  const std::string name = "expected letters a-z and _, as in +pct:2:118";
  const std::string parameter =
      "expected characters 0-9 A-Z a-z . _ -, as in +pct:2:118";
  ExpectErrors({
      {"c1/0/+5", 7, "strategy \"5\" has a \"5\": "s + name},
      {"c1/0/+pCt:1", 8, "strategy \"pCt\" has a \"C\": "s + name},
      {"c1/0/+:118", 7, "the strategy is missing: "s + name},
      {"c1/0/+pct::118", 11, "the parameter is missing: "s + parameter},
      {"c1/0/+pct:2::118", 13, "the parameter is missing: "s + parameter},
      {"c1/0/+pct:a+b:1", 12, "parameter \"a+b\" has a \"+\": "s + parameter},
      {"c1/0/+pct:x", 11,
       "execution \"x\" is not a number: "s + kExecutionHint},
      {"c1/0/+pct:2:018", 13,
       "execution \"018\" begins with 0: expected no leading zeros"},
      {"c1/0/+a:18446744073709551616", 9,
       "execution \"18446744073709551616\" is out of range: expected 0 to "
       "18446744073709551615"},
  });
}

TEST(ParseReplayTest, RejectsBadPathsAndChecks) {
  ExpectErrors({
      {"c1/0/@a b", 8,
       "path \"a b\" has a \" \": expected characters 0-9 A-Z a-z . / : , + @ "
       "_ -, as in @out/replay"},
      {"c1/0/4:1/B7E2", 10, "check \"B7E2\" is not one: "s + kCheckHint},
      {"c1/0/4:1/b7e2f", 14, "check \"b7e2f\" is not one: "s + kCheckHint},
      {"c1/0/4:1/b7e2/", 14, "check \"b7e2/\" is not one: "s + kCheckHint},
  });
}

TEST(ParseReplayTest, QuotesWhatCannotBePrinted) {
  EXPECT_EQ(
      ErrorOf(std::string_view("c1/0/4:\x01\xff\"\0", 11)),
      "replay string, character 8: choice \"\\x01\\xff\\\"\\x00\" is not "
      "a number: expected a choice such as 4:1, or t or d for the next timer\n"
      "  c1/0/4:??\"?\n"
      "         ^");
}

TEST(ParseReplayTest, ShowsOnlyThePlaceOfALongString) {
  std::string text = "c1/0/1:1";
  for (int i = 2; i < 100; ++i) text += "," + std::to_string(i) + ":1";
  text += ",100:y,101:1,102:1,103:1,104:1,105:1";
  EXPECT_EQ(ErrorOf(text),
            "replay string, character 496: choice \"y\" is not a number: "
            "expected a choice such as 4:1, or t or d for the next timer\n"
            "  ...,93:1,94:1,95:1,96:1,97:1,98:1,99:1,100:y,101:1,102:1,...\n"
            "                                             ^");
}

TEST(ParseReplayTest, CutsOnlyWhatIsLongerThanItsLimits) {
  const auto error = [](std::size_t size) {
    return ErrorOf("c1/0/" + std::string(size, 'z'));
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
  };
  EXPECT_TRUE(has(error(40), "\"" + std::string(40, 'z') + "\""));
  EXPECT_TRUE(has(error(41), "\"" + std::string(40, 'z') + "...\""));
  // 60 characters fit on a line; of 61, 54 are shown.
  EXPECT_TRUE(has(error(55), "\n  c1/0/" + std::string(55, 'z') + "\n"));
  EXPECT_TRUE(has(error(56), "\n  c1/0/" + std::string(49, 'z') + "...\n"));
}

TEST(ParseReplayTest, IsQuickAndBriefAboutTenMegabytes) {
  const std::string digits(10'000'000, '7');
  for (const std::string& text :
       {digits, "c1/" + digits, "c1/0/" + digits, "c1/0/4:" + digits,
        "c1/0/4:1/" + digits, "c1/0/+" + digits, "c1/0/+pct:" + digits,
        "c1/0/+pct:" + digits + ":1", "c1/0/@" + digits}) {
    EXPECT_LT(ErrorOf(text).size(), 300);
  }
}

TEST(ParseReplayTest, LimitsTheNumberOfDeviations) {
  ReplayString replay;
  Deviations& deviations = replay.schedule.emplace<Deviations>();
  for (std::uint64_t step = 1; step <= kDeviationsMax; ++step) {
    deviations.push_back({step, 1});
  }
  const std::string most = FormatReplay(replay);
  const absl::StatusOr<ReplayString> parsed = ParseReplay(most);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, replay);
  EXPECT_EQ(ErrorOf(most + ",100001:1"),
            "replay string, character 788901: too many deviations: the limit "
            "is 100000\n"
            "  ...9996:1,99997:1,99998:1,99999:1,100000:1,100001:1\n"
            "                                             ^");
}

TEST(ParseReplayTest, LimitsTexts) {
  const std::string most(kReplayTextMax, 'a');
  EXPECT_EQ(ErrorOf("c1/0/@" + most), "none");
  EXPECT_EQ(ErrorOf("c1/0/+" + most + ":1"), "none");
  EXPECT_EQ(ErrorOf("c1/0/+a:" + most + ":1"), "none");
  for (const auto& [text, message] :
       {std::pair{"c1/0/@a" + most, "7: path"},
        std::pair{"c1/0/+a" + most + ":1", "7: strategy"},
        std::pair{"c1/0/+a:a" + most + ":1", "9: parameter"}}) {
    const std::string error = ErrorOf(text);
    EXPECT_TRUE(error.starts_with("replay string, character "s + message))
        << error;
    EXPECT_NE(error.find(" is too long: the limit is 4096 characters\n"),
              error.npos)
        << error;
  }
  EXPECT_TRUE(ErrorOf("c1/0/+a:a:" + most + ":1")
                  .starts_with("replay string, character 11: the parameters "
                               "are too long: the limit is 4096 characters\n"));
}

// A text with one of its characters, or a few, changed at random.
std::string Mutate(std::string text, Rng& rng) {
  // Mostly the alphabet of the grammar: anything else is soon rejected.
  constexpr std::string_view kAlphabet = "0123456789abcdeft:,/+@_.-pcAZ \n";
  const std::uint64_t mutations = 1 + rng.Uniform(4);
  for (std::uint64_t i = 0; i < mutations; ++i) {
    const char c = rng.Chance(1, 20) ? static_cast<char>(rng.Uniform(256))
                                     : kAlphabet[rng.Uniform(kAlphabet.size())];
    const std::size_t at = rng.Uniform(text.size() + 1);
    const std::size_t size = rng.Uniform(8);
    switch (rng.Uniform(6)) {
      case 0:
        text.insert(at, 1, c);
        break;
      case 1:
        if (at < text.size()) text[at] = c;
        break;
      case 2:
        text.erase(at, 1);
        break;
      case 3:  // Repeats a part, here or elsewhere.
        text.insert(rng.Uniform(text.size() + 1), text.substr(at, size));
        break;
      case 4:
        text.erase(at, size);
        break;
      default:  // Truncates, occasionally.
        if (rng.Chance(1, 4)) text.resize(at);
    }
  }
  return text;
}

// Every accepted string is the canonical spelling of its value.
TEST(ParseReplayTest, SurvivesAMillionMutations) {
  const std::vector<Good> good = GoodStrings();
  Rng rng(1);
  int accepted = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const std::string text = Mutate(good[rng.Uniform(good.size())].text, rng);
    const absl::StatusOr<ReplayString> replay = ParseReplay(text);
    if (replay.ok()) {
      ++accepted;
      ASSERT_EQ(FormatReplay(*replay), text);
    } else {
      ASSERT_LT(replay.status().message().size(), 500) << replay.status();
    }
  }
  EXPECT_GT(accepted, 100'000);
}

TEST(ParseReplayTest, ReadsBackWhateverIsWritten) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    ReplayString replay{.program_seed = rng.Next() >> rng.Uniform(64)};
    if (rng.Chance(1, 2)) {
      replay.check = static_cast<std::uint16_t>(rng.Next());
    }
    Deviations& deviations = replay.schedule.emplace<Deviations>();
    const std::uint64_t size = rng.Uniform(6);
    std::uint64_t step = 0;
    for (std::uint64_t j = 0; j < size; ++j) {
      step += 1 + rng.Uniform(kStepMax / 8);
      deviations.push_back({step, rng.Chance(1, 4)
                                      ? kTimer
                                      : static_cast<std::uint32_t>(
                                            1 + rng.Uniform(kChoiceMax))});
    }
    const absl::StatusOr<ReplayString> again =
        ParseReplay(FormatReplay(replay));
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(*again, replay);
  }
}

}  // namespace
}  // namespace clotho::sim
