#include "clotho/sim/engine/schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace clotho::sim {
namespace {

constexpr std::string_view kVersion = "c1";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz_";
constexpr std::string_view kParameterCharacters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";
constexpr std::string_view kPathCharacters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-:/,+@";

// The most characters of the text that a message shows.
constexpr std::size_t kQuoteMax = 40;
constexpr std::size_t kExcerptMax = 60;

// With an Abseil that has its own string_view, this is a different type.
absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

std::string Quote(std::string_view part) {
  return absl::StrCat("\"", absl::CHexEscape(ToAbsl(part.substr(0, kQuoteMax))),
                      part.size() > kQuoteMax ? "...\"" : "\"");
}

// Two lines: the text around the position, and a caret under it.
std::string Excerpt(std::string_view text, std::size_t position) {
  constexpr std::string_view kEllipsis = "...";
  constexpr std::size_t kWindow = kExcerptMax - 2 * kEllipsis.size();
  // Shows more of the text before the position, which explains how it was read.
  constexpr std::size_t kBefore = kWindow * 3 / 4;
  std::size_t begin = 0;
  std::size_t size = text.size();
  if (text.size() > kExcerptMax) {
    begin = position - std::min(position, kBefore);
    size = std::min(text.size() - begin, kWindow);
  }
  std::string line(begin > 0 ? kEllipsis : "");
  const std::size_t caret = line.size() + position - begin;
  for (const char c : text.substr(begin, size)) {
    line += c >= ' ' && c <= '~' ? c : '?';
  }
  if (begin + size < text.size()) line += kEllipsis;
  return absl::StrCat("  ", line, "\n  ", std::string(caret, ' '), "^");
}

// Reads from left to right, once. Every part is a view into the whole text, so
// that an error knows its position.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  absl::StatusOr<ReplayString> Parse();

 private:
  absl::StatusOr<std::uint64_t> ParseProgramSeed();
  absl::StatusOr<std::string> ParseInput();
  absl::Status ParseSchedule(ReplayString& replay);
  absl::StatusOr<Deviations> ParseDeviations();
  absl::StatusOr<Deviation> ParseDeviation(std::uint64_t step_before);
  absl::StatusOr<StrategyRun> ParseStrategyRun();
  absl::StatusOr<ReplayFile> ParseReplayFile();
  absl::StatusOr<std::uint16_t> ParseCheck();

  // A decimal number in its canonical spelling. `expected` ends the error
  // message.
  absl::StatusOr<std::uint64_t> ParseNumber(std::string_view part,
                                            std::string_view what,
                                            std::uint64_t min,
                                            std::uint64_t max,
                                            std::string_view expected) const;
  absl::Status CheckText(std::string_view part, std::string_view what,
                         std::string_view allowed,
                         std::string_view expected) const;

  // Takes the text up to any of `ends`, or all that is left.
  std::string_view TakeUntil(std::string_view ends) {
    const std::size_t size = std::min(rest_.find_first_of(ends), rest_.size());
    const std::string_view part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }
  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // `place` begins at the wrong character, or at the end of the text.
  absl::Status ErrorAt(std::string_view place, std::string_view message) const {
    const auto position = static_cast<std::size_t>(place.data() - text_.data());
    return absl::InvalidArgumentError(
        absl::StrCat("replay string, character ", position + 1, ": ",
                     ToAbsl(message), "\n", Excerpt(text_, position)));
  }

  const std::string_view text_;
  std::string_view rest_;  // The part of text_ that has not been read.
};

absl::StatusOr<ReplayString> Parser::Parse() {
  if (text_.empty()) {
    return absl::InvalidArgumentError(
        "replay string is empty: expected one such as c1/0/4:1");
  }
  const std::string_view version = TakeUntil("/");
  if (version != kVersion) {
    return ErrorAt(version, absl::StrCat("format version ", Quote(version),
                                         " is unknown: this build reads ",
                                         ToAbsl(kVersion), ", as in c1/0/4:1"));
  }
  ReplayString replay;
  Take('/');
  absl::StatusOr<std::uint64_t> program_seed = ParseProgramSeed();
  if (!program_seed.ok()) return program_seed.status();
  replay.program_seed = *program_seed;

  if (Take('.')) {
    absl::StatusOr<std::string> input = ParseInput();
    if (!input.ok()) return input.status();
    replay.input = *std::move(input);
  }
  Take('/');
  absl::Status schedule = ParseSchedule(replay);
  if (!schedule.ok()) return schedule;

  if (Take('/')) {
    absl::StatusOr<std::uint16_t> check = ParseCheck();
    if (!check.ok()) return check.status();
    replay.check = *check;
  }
  return replay;
}

absl::StatusOr<std::uint64_t> Parser::ParseProgramSeed() {
  const std::string_view part = TakeUntil("./");
  if (part.empty()) {
    return ErrorAt(part,
                   "the program seed is missing: expected hexadecimal digits, "
                   "as in c1/8f21/fifo");
  }
  const std::size_t bad = part.find_first_not_of(kHexDigits);
  if (bad != part.npos) {
    return ErrorAt(part.substr(bad),
                   absl::StrCat("program seed ", Quote(part),
                                " is not a number: expected lower-case "
                                "hexadecimal digits, as in c1/8f21/fifo"));
  }
  if (part.size() > 1 && part.starts_with('0')) {
    return ErrorAt(part, absl::StrCat("program seed ", Quote(part),
                                      " begins with 0: expected no leading "
                                      "zeros"));
  }
  if (part.size() > 16) {
    return ErrorAt(part, absl::StrCat("program seed ", Quote(part),
                                      " is out of range: the limit is 16 "
                                      "hexadecimal digits"));
  }
  std::uint64_t value = 0;
  for (const char c : part) value = value << 4 | kHexDigits.find(c);
  return value;
}

absl::StatusOr<std::string> Parser::ParseInput() {
  const std::string_view part = TakeUntil("/");
  if (absl::Status status = CheckText(
          part, "input", kParameterCharacters,
          "expected characters 0-9 A-Z a-z . _ -, as in c1/8f21.12/4:1");
      !status.ok()) {
    return status;
  }
  return std::string(part);
}

absl::Status Parser::ParseSchedule(ReplayString& replay) {
  constexpr std::string_view kExpected =
      "expected fifo, deviations such as 4:1,9:t, a strategy such as "
      "+pct:2:118, or a file such as @path";
  const auto keep = [&replay](auto schedule) {
    if (schedule.ok()) replay.schedule = *std::move(schedule);
    return schedule.status();
  };
  if (rest_.empty()) {
    return ErrorAt(
        rest_, absl::StrCat("the schedule is missing: ", ToAbsl(kExpected)));
  }
  if (rest_.front() == '+') return keep(ParseStrategyRun());
  if (rest_.front() == '@') return keep(ParseReplayFile());
  if (kDigits.find(rest_.front()) != kDigits.npos) {
    return keep(ParseDeviations());
  }
  const std::string_view part = TakeUntil("/");
  if (part == "fifo") return absl::OkStatus();
  return ErrorAt(part, absl::StrCat("schedule ", Quote(part),
                                    " is unknown: ", ToAbsl(kExpected)));
}

absl::StatusOr<Deviations> Parser::ParseDeviations() {
  Deviations deviations;
  do {
    if (deviations.size() == kDeviationsMax) {
      return ErrorAt(rest_, absl::StrCat("too many deviations: the limit is ",
                                         kDeviationsMax));
    }
    absl::StatusOr<Deviation> deviation =
        ParseDeviation(deviations.empty() ? 0 : deviations.back().step);
    if (!deviation.ok()) return deviation.status();
    deviations.push_back(*deviation);
  } while (Take(','));
  return deviations;
}

absl::StatusOr<Deviation> Parser::ParseDeviation(std::uint64_t step_before) {
  const std::string_view step_part = TakeUntil(":,/");
  if (step_part.empty()) {
    return ErrorAt(step_part,
                   "a deviation is missing: expected one such as 4:1");
  }
  const absl::StatusOr<std::uint64_t> step =
      ParseNumber(step_part, "step", 1, kStepMax,
                  "expected the number of a step, as in 4:1");
  if (!step.ok()) return step.status();
  if (*step <= step_before) {
    return ErrorAt(step_part,
                   absl::StrCat("step ", *step, " does not come after step ",
                                step_before, ": expected rising steps"));
  }

  constexpr std::string_view kExpected =
      "expected a choice such as 4:1, or t or d for the next timer";
  const bool has_choice = Take(':');
  const std::string_view choice_part = TakeUntil(",/");
  if (!has_choice || choice_part.empty()) {
    return ErrorAt(choice_part,
                   absl::StrCat("the choice of step ", *step,
                                " is missing: ", ToAbsl(kExpected)));
  }
  if (choice_part == "t") {
    return Deviation{.step = *step, .choice = Deviation::kTimer};
  }
  if (choice_part == "d") {
    return Deviation{.step = *step, .choice = Deviation::Due(1)};
  }
  if (choice_part.front() == 'd' &&
      kDigits.find(choice_part[1]) != kDigits.npos) {
    const absl::StatusOr<std::uint64_t> boundary = ParseNumber(
        choice_part.substr(1), "boundary", 2, Deviation::kBoundaryMax,
        "expected d for the first, or the number of another, as in 4:d2");
    if (!boundary.ok()) return boundary.status();
    return Deviation{
        .step = *step,
        .choice = Deviation::Due(static_cast<std::uint32_t>(*boundary))};
  }
  // A word: the syntax reserved for faults.
  if (choice_part.size() > 1 &&
      choice_part.find_first_not_of(kNameCharacters) > 1) {
    return ErrorAt(choice_part,
                   absl::StrCat("choice ", Quote(choice_part),
                                " is not a number, and faults are not known "
                                "to this build: ",
                                ToAbsl(kExpected)));
  }
  const absl::StatusOr<std::uint64_t> choice =
      ParseNumber(choice_part, "choice", 1, kChoiceMax, kExpected);
  if (!choice.ok()) return choice.status();
  return Deviation{.step = *step,
                   .choice = static_cast<std::uint32_t>(*choice)};
}

absl::StatusOr<StrategyRun> Parser::ParseStrategyRun() {
  Take('+');
  StrategyRun run;
  const std::string_view strategy = TakeUntil(":/");
  if (absl::Status status =
          CheckText(strategy, "strategy", kNameCharacters,
                    "expected letters a-z and _, as in +pct:2:118");
      !status.ok()) {
    return status;
  }
  run.strategy = std::string(strategy);

  constexpr std::string_view kExpected =
      "expected the number of an execution at the end, as in +pct:2:118";
  if (!Take(':')) {
    return ErrorAt(
        rest_, absl::StrCat("the execution is missing: ", ToAbsl(kExpected)));
  }
  std::string_view field = TakeUntil(":/");
  while (Take(':')) {  // Not the last field, hence a parameter.
    if (absl::Status status = CheckText(
            field, "parameter", kParameterCharacters,
            "expected characters 0-9 A-Z a-z . _ -, as in +pct:2:118");
        !status.ok()) {
      return status;
    }
    if (!run.parameters.empty()) run.parameters += ':';
    run.parameters += field;
    if (run.parameters.size() > kReplayTextMax) {
      return ErrorAt(field, absl::StrCat("the parameters are too long: the "
                                         "limit is ",
                                         kReplayTextMax, " characters"));
    }
    field = TakeUntil(":/");
  }
  const absl::StatusOr<std::uint64_t> execution =
      ParseNumber(field, "execution", 0,
                  std::numeric_limits<std::uint64_t>::max(), kExpected);
  if (!execution.ok()) return execution.status();
  run.execution = *execution;
  return run;
}

absl::StatusOr<ReplayFile> Parser::ParseReplayFile() {
  Take('@');
  const std::string_view path = TakeUntil("");  // Nothing follows it.
  if (absl::Status status = CheckText(
          path, "path", kPathCharacters,
          "expected characters 0-9 A-Z a-z . / : , + @ _ -, as in @out/replay");
      !status.ok()) {
    return status;
  }
  return ReplayFile{.path = std::string(path)};
}

absl::StatusOr<std::uint16_t> Parser::ParseCheck() {
  constexpr std::string_view kExpected =
      "expected four lower-case hexadecimal digits, as in c1/0/4:1/b7e2";
  const std::string_view part = TakeUntil("");  // Nothing follows it.
  if (part.empty()) {
    return ErrorAt(part,
                   absl::StrCat("the check is missing: ", ToAbsl(kExpected)));
  }
  // The first character that is wrong or missing.
  const std::size_t digits =
      std::min(part.find_first_not_of(kHexDigits), part.size());
  if (digits != 4 || part.size() != 4) {
    return ErrorAt(part.substr(std::min<std::size_t>(digits, 4)),
                   absl::StrCat("check ", Quote(part),
                                " is not one: ", ToAbsl(kExpected)));
  }
  std::uint16_t value = 0;
  for (const char c : part) {
    value = static_cast<std::uint16_t>(value << 4 | kHexDigits.find(c));
  }
  return value;
}

absl::StatusOr<std::uint64_t> Parser::ParseNumber(
    std::string_view part, std::string_view what, std::uint64_t min,
    std::uint64_t max, std::string_view expected) const {
  if (part.empty()) {
    return ErrorAt(part, absl::StrCat("the ", ToAbsl(what),
                                      " is missing: ", ToAbsl(expected)));
  }
  const std::size_t bad = part.find_first_not_of(kDigits);
  if (bad != part.npos) {
    return ErrorAt(part.substr(bad),
                   absl::StrCat(ToAbsl(what), " ", Quote(part),
                                " is not a number: ", ToAbsl(expected)));
  }
  if (part.size() > 1 && part.starts_with('0')) {
    return ErrorAt(part, absl::StrCat(ToAbsl(what), " ", Quote(part),
                                      " begins with 0: expected no leading "
                                      "zeros"));
  }
  std::uint64_t value = 0;
  bool fits = true;
  for (std::size_t i = 0; i < part.size() && fits; ++i) {
    const std::uint64_t digit = kDigits.find(part[i]);
    fits = value <= (max - digit) / 10;
    value = value * 10 + digit;
  }
  if (!fits || value < min) {
    return ErrorAt(
        part, absl::StrCat(ToAbsl(what), " ", Quote(part),
                           " is out of range: expected ", min, " to ", max));
  }
  return value;
}

absl::Status Parser::CheckText(std::string_view part, std::string_view what,
                               std::string_view allowed,
                               std::string_view expected) const {
  if (part.empty()) {
    return ErrorAt(part, absl::StrCat("the ", ToAbsl(what),
                                      " is missing: ", ToAbsl(expected)));
  }
  const std::size_t bad = part.find_first_not_of(allowed);
  if (bad != part.npos) {
    return ErrorAt(
        part.substr(bad),
        absl::StrCat(ToAbsl(what), " ", Quote(part), " has a ",
                     Quote(part.substr(bad, 1)), ": ", ToAbsl(expected)));
  }
  if (part.size() > kReplayTextMax) {
    return ErrorAt(part, absl::StrCat(ToAbsl(what), " ", Quote(part),
                                      " is too long: the limit is ",
                                      kReplayTextMax, " characters"));
  }
  return absl::OkStatus();
}

void AppendSchedule(const Deviations& deviations, std::string& text) {
  if (deviations.empty()) text += "fifo";
  std::string_view comma;
  for (const Deviation& deviation : deviations) {
    absl::StrAppend(&text, ToAbsl(comma), deviation.step, ":");
    comma = ",";
    if (deviation.choice == Deviation::kTimer) {
      text += 't';
    } else if (const std::uint32_t boundary = deviation.boundary()) {
      text += 'd';
      if (boundary > 1) absl::StrAppend(&text, boundary);
    } else {
      absl::StrAppend(&text, deviation.choice);
    }
  }
}

void AppendSchedule(const StrategyRun& run, std::string& text) {
  absl::StrAppend(&text, "+", run.strategy, ":", run.parameters,
                  run.parameters.empty() ? "" : ":", run.execution);
}

void AppendSchedule(const ReplayFile& file, std::string& text) {
  absl::StrAppend(&text, "@", file.path);
}

}  // namespace

absl::StatusOr<ReplayString> ParseReplay(std::string_view text) {
  return Parser(text).Parse();
}

std::string FormatReplay(const ReplayString& replay) {
  std::string text =
      absl::StrCat(ToAbsl(kVersion), "/", absl::Hex(replay.program_seed),
                   replay.input.empty() ? "" : ".", replay.input, "/");
  std::visit([&text](const auto& schedule) { AppendSchedule(schedule, text); },
             replay.schedule);
  // After a path, the check would be read as part of the path.
  if (replay.check.has_value() &&
      !std::holds_alternative<ReplayFile>(replay.schedule)) {
    absl::StrAppend(&text, "/", absl::Hex(*replay.check, absl::kZeroPad4));
  }
  return text;
}

std::string FormatDeviations(const Deviations& deviations) {
  std::string text;
  AppendSchedule(deviations, text);
  return text;
}

}  // namespace clotho::sim
