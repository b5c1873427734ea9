// The schedule, and the replay string: one execution of a program in a form
// that can be read, pasted into a shell and kept in a file.
//
//   c1/0/4:1/b7e2      version 1, program seed 0, at step 4 candidate 1 ran
//                      where FIFO order runs candidate 0
//
//   replay     := "c1" "/" program-seed [ "." input ] "/" schedule [ "/" check
//   ] schedule   := "fifo" | deviation { "," deviation }
//               | "+" strategy ":" [ parameters ":" ] execution
//               | "@" path
//   deviation  := step ":" ( choice | "t" | "d" [ boundary ] )
//   parameters := parameter { ":" parameter }
//
//   program-seed  hexadecimal, 64 bits: of what the program itself draws
//   input         characters 0-9 A-Z a-z . _ -: of a property, what its input
//                 is made of besides the seed; whoever makes inputs knows what
//                 it means (properties/input.h)
//   step          from 1, rising from one deviation to the next
//   choice        from 1 (0 is FIFO order); "t": the next timer fires first;
//                 "d": it becomes due, and goes behind what is ready
//   boundary      2 to 1000: where several iterations of the loop begin before
//                 that step, because some of them have only bookkeeping to do,
//                 at the beginning of which; "d" alone: of the first
//   strategy      letters a-z and "_", as in +pct:2:118 and +random:118
//   parameter     characters 0-9 A-Z a-z . _ -
//   execution     decimal, 64 bits: the execution's number in a search
//   path          characters 0-9 A-Z a-z . / : , + @ _ -, to the end of the
//                 string: a check, if any, is in the file
//   check         four hexadecimal digits: what the program's choices looked
//                 like, to notice that it is no longer the same program
//
// Numbers have no leading zeros, no sign and no spaces, and hexadecimal digits
// are lower case: a schedule has exactly one spelling. All of it needs no
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
// Characters in a path, in an input, in a strategy's name, and in its
// parameters together.
inline constexpr std::size_t kReplayTextMax = 4096;

// A step that did not run what FIFO order runs.
struct Deviation {
  // The next timer fires, ahead of all that is ready.
  static constexpr std::uint32_t kTimer = UINT32_MAX;
  // Time passes up to its deadline, and it goes behind all that is ready. A
  // schedule with such a deviation runs in FIFO ordering: see options.h. That
  // is at the beginning of an iteration, and of those that begin before the
  // step at the `boundary`-th, from 1 to kBoundaryMax.
  static constexpr std::uint32_t Due(std::uint32_t boundary) {
    return kTimer - boundary;
  }
  static constexpr std::uint32_t kBoundaryMax = 1'000;

  std::uint64_t step = 0;    // From 1.
  std::uint32_t choice = 0;  // A place among the candidates from 1, or
                             // kTimer, or Due.

  // 0: this is no Due.
  std::uint32_t boundary() const {
    return choice < kTimer && choice >= Due(kBoundaryMax) ? kTimer - choice : 0;
  }

  friend bool operator==(const Deviation&, const Deviation&) = default;
};

// By rising step; none: FIFO order.
using Deviations = std::vector<Deviation>;

// An execution of a search, before shrinking.
struct StrategyRun {
  std::string strategy;
  std::string parameters = {};  // Separated by ':'. Empty: none.
  std::uint64_t execution = 0;

  friend bool operator==(const StrategyRun&, const StrategyRun&) = default;
};

// The replay string is in a file, being too long for a line.
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

// An error is InvalidArgument; its message names the part that is wrong, quotes
// it, says what was expected, and ends with an excerpt of two lines that points
// at the character. It is short, however long the text.
absl::StatusOr<ReplayString> ParseReplay(std::string_view text);

// The text that `ParseReplay` reads back as the same value. Of a value that it
// could not have returned (steps that do not rise, a path with a space), it
// is a text that will not parse.
std::string FormatReplay(const ReplayString& replay);

// The schedule alone: "4:1,9:t", or "fifo".
std::string FormatDeviations(const Deviations& deviations);

// A schedule that failed once, and is run before every search of its test.
struct SavedSchedule {
  std::string replay = {};
  std::string note = {};   // For the reader.
  std::string place = {};  // "Suite.Name.saved:3"; empty: a sim::ReplayFirst.
};

}  // namespace clotho::sim

#endif  // CLOTHO_SIM_ENGINE_SCHEDULE_H_
