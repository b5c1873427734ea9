// Handles the crash of the process within an execution: a signal, a sanitizer,
// or a program that calls exit(). The handler reports the execution up to the
// crash.

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
  // 0: no signal.
  int signal = 0;
  bool by_exit = false;  // The program called exit().
  // A step did not end. Neither of these nor a signal: a sanitizer.
  bool stuck = false;
  // The execution up to the crash.
  std::uint64_t program_seed = 0;
  Deviations deviations;
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  bool after_last_step = false;  // During the destruction of what was left.
  std::string task;              // Empty: no task was running.
  std::string function;          // Where it crashed. Empty: unknown.
};

// "Signal 11 (SIGSEGV)".
std::string CrashText(const Crash& crash);

// From now on a crash within an execution writes to standard error what
// happened, followed by a text that says how to see it again. Pass false if a
// fuzzing engine handles what sanitizers find: there is room for only one such
// handler.
void InstallCrashHandlers(bool of_sanitizers = true);

// Sets that text. Each `kReplayMark` in it is replaced by the replay string.
inline constexpr std::string_view kReplayMark = "REPLAY.STRING";
void SetCrashAdvice(std::string_view text);
// Sets the input in the replay string. Empty: none.
void SetDeathInput(std::string_view input);

// For handlers of other signals, before they end the process: report this
// signal, or a step that does not end, in the same way.
void TellCrash(int signal);
void TellStuck();
// Sets how long a step may take; the report of a stuck step says so.
void SetStuckText(Delay step_max);

// In a child process: writes the crash to this file instead, as bytes for
// `ReadCrash`.
void SendDeathTo(int file);

// nullopt if the bytes are truncated or not a crash record.
std::optional<Crash> ReadCrash(std::string_view bytes);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_CRASH_HANDLER_H_
