// The schedule, and the replay string: one execution of a program in a form
// that can be read, pasted into a shell and saved in a file.
//
//   c1/0/4:1/b7e2      version 1, program seed 0, at step 4 candidate 1 ran
//                      where FIFO order runs candidate 0
//
//   replay     := "c1" "/" program-seed [ "." input ]
//                 "/" schedule [ "/" check ]
//   schedule   := "fifo" | deviation { "," deviation }
//               | "+" strategy ":" [ parameters ":" ] execution
//               | "@" path
//   deviation  := step ":" ( choice | "t" | "d" [ boundary ] )
//   parameters := parameter { ":" parameter }
//
//   program-seed  hexadecimal, 64 bits: seeds what the program itself draws
//   input         characters 0-9 A-Z a-z . _ -: the input of a property,
//                 besides the seed; its generator defines the meaning
//                 (properties/input.h)
//   step          from 1, rising from one deviation to the next
//   choice        from 1 (0 is FIFO order); "t": the next timer fires first;
//                 "d": it becomes due, and is queued behind what is ready
//   boundary      2 to 1000: at which of the iterations of the loop that begin
//                 before that step, if there are several because some have
//                 only bookkeeping to do; "d" alone: at the first
//   strategy      letters a-z and "_", as in +pct:2:118 and +random:118
//   parameter     characters 0-9 A-Z a-z . _ -
//   execution     decimal, 64 bits: the execution's number in a search
//   path          characters 0-9 A-Z a-z . / : , + @ _ -, to the end of the
//                 string: a check, if any, is in the file
//   check         four hexadecimal digits: a hash of the program's choices, to
//                 detect that the program has changed
//
// Numbers have no leading zeros, no sign and no spaces, and hexadecimal digits
// are lower case: a schedule has exactly one spelling. The string needs no
// quotes in a shell.

#ifndef CLOTHO_SIM_ENGINE_SCHEDULE_H_
#define CLOTHO_SIM_ENGINE_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace clotho::sim {

// The limits of a replay string.
inline constexpr std::uint64_t kStepMax = std::uint64_t{1} << 40;
inline constexpr std::uint32_t kChoiceMax = std::uint32_t{1} << 20;
inline constexpr std::size_t kDeviationsMax = 100'000;
// The longest path, input, strategy name, and total length of a strategy's
// parameters, in characters.
inline constexpr std::size_t kReplayTextMax = 4096;

// A step that did not run what FIFO order runs.
struct Deviation {
  // The next timer fires before everything that is ready.
  static constexpr std::uint32_t kTimer = UINT32_MAX;
  // Time passes to the next timer's deadline, and the timer is queued behind
  // everything that is ready. Schedules with such a deviation run in FIFO
  // ordering: see options.h. This happens at the beginning of an iteration of
  // the loop; `boundary`, from 1 to kBoundaryMax, says which of those that
  // begin before the step.
  static constexpr std::uint32_t Due(std::uint32_t boundary) {
    return kTimer - boundary;
  }
  static constexpr std::uint32_t kBoundaryMax = 1'000;

  std::uint64_t step = 0;  // From 1.
  // An index among the candidates from 1, or kTimer, or Due.
  std::uint32_t choice = 0;

  // 0: not a Due deviation.
  std::uint32_t boundary() const {
    return choice < kTimer && choice >= Due(kBoundaryMax) ? kTimer - choice : 0;
  }

  friend bool operator==(const Deviation&, const Deviation&) = default;
};

// Sorted by step. Empty: FIFO order.
using Deviations = std::vector<Deviation>;

// An execution of a search, before shrinking.
struct StrategyRun {
  std::string strategy;
  std::string parameters = {};  // Separated by ':'. Empty: none.
  std::uint64_t execution = 0;

  friend bool operator==(const StrategyRun&, const StrategyRun&) = default;
};

// The replay string is in a file, because it is too long for a line.
struct ReplayFile {
  std::string path;

  friend bool operator==(const ReplayFile&, const ReplayFile&) = default;
};

struct ReplayString {
  std::uint64_t program_seed = 0;
  std::string input = {};  // Empty: none.
  std::variant<Deviations, StrategyRun, ReplayFile> schedule = {};
  std::optional<std::uint16_t> check = {};  // Never with a ReplayFile.

  friend bool operator==(const ReplayString&, const ReplayString&) = default;
};

// An error is InvalidArgument. Its message names the part that is wrong, quotes
// it, says what was expected, and ends with a two-line excerpt that points at
// the character. The message is short, however long the text.
absl::StatusOr<ReplayString> ParseReplay(std::string_view text);

// The text that `ParseReplay` parses back to the same value. For a value that
// `ParseReplay` cannot return (steps that do not rise, a path with a space),
// the text does not parse.
std::string FormatReplay(const ReplayString& replay);

// The schedule alone: "4:1,9:t", or "fifo".
std::string FormatDeviations(const Deviations& deviations);

// A schedule that failed once. It runs before every search of its test.
struct SavedSchedule {
  std::string replay = {};
  std::string note = {};  // For the reader.
  // "Suite.Name.saved:3"; empty: from a sim::ReplayFirst.
  std::string place = {};
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_SCHEDULE_H_
