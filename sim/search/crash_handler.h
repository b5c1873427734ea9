// The crash of the process within an execution: a signal, a sanitizer, or a
// program that calls exit(). What it had done until then is told by a handler.

#ifndef CLOTHO_SIM_SEARCH_CRASH_HANDLER_H_
#define CLOTHO_SIM_SEARCH_CRASH_HANDLER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/schedule.h"

namespace clotho::sim::internal {

struct Crash {
  // 0: not by a signal.
  int signal = 0;
  bool by_exit = false;  // The program called exit();
  bool stuck = false;    // a step was ended; else it was a sanitizer.
  // The execution, up to there.
  std::uint64_t program_seed = 0;
  Deviations deviations;
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  bool after_last_step = false;  // While what was left was destroyed.
  std::string task;              // Empty: none ran.
  std::string function;          // Where it happened. Empty: not known.
};

// "Signal 11 (SIGSEGV)".
std::string DeathText(const Crash& crash);

// From here on a crash within an execution writes to standard error what
// happened, then a text: how to see it again. A fuzzer's engine has a handler
// of its own for what a sanitizer finds, and there is room for one.
void InstallDeathHandlers(bool of_sanitizers = true);

// The text. Each `kReplayMark` in it stands for the replay string.
inline constexpr std::string_view kReplayMark = "REPLAY.STRING";
void SetDeathText(std::string_view text);
// The input in that string. Empty: none.
void SetDeathInput(std::string_view input);

// For handlers of other signals, before they end the process: the same for
// this signal, and for a step that does not end.
void TellCrash(int signal);
void TellStuck();
// How long a step may take: what is told then.
void SetStuckText(Delay step_max);

// In a child process: writes the crash to this file instead, as bytes for
// `ReadCrash`.
void SendDeathTo(int file);

// Nothing if they are no crash, or not all of one.
std::optional<Crash> ReadCrash(std::string_view bytes);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CRASH_HANDLER_H_
