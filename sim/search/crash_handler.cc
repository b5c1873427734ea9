#include "clotho/sim/search/crash_handler.h"

#include <execinfo.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "absl/debugging/symbolize.h"
#include "absl/strings/str_cat.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/task_base.h"
#include "clotho/sim/engine/format.h"
#include "clotho/sim/engine/schedule.h"
#include "clotho/sim/engine/simulated_thread.h"
#include "clotho/sim/engine/simulator.h"

// Provided by the sanitizers' runtime, if there is one.
extern "C" void __sanitizer_set_death_callback(void (*callback)())
    __attribute__((weak));

namespace clotho::sim::internal {
namespace {

// Test runners send SIGTERM to a test that takes too long. (While a SignalScope
// exists, its own handler is in place.)
constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM};
constexpr int kSignalsMax = 64;
constexpr int kFramesMax = 24;

// What a handler needs is prepared here: a handler can neither allocate nor
// wait.
struct State {
  pid_t process = 0;  // Not that of a death test's child.
  int file = -1;      // Where to send the crash, instead of standard error.
  bool told = false;
  char text[8192] = {};
  std::size_t text_size = 0;
  char stuck_text[128] = {};
  char input[kReplayTextMax] = {};
  std::size_t input_size = 0;
  struct sigaction previous[kSignalsMax] = {};
};
State state;

alignas(16) char signal_stack[1 << 16];

// The format in the pipe, followed by the task's name, the frames and the
// deviations.
struct Header {
  char mark = 'D';
  bool by_exit = false;
  bool stuck = false;
  bool after_last_step = false;
  int signal = 0;
  int frames = 0;
  std::uint64_t program_seed = 0;
  std::uint64_t step = 0;
  std::int64_t time_ns = 0;
  std::uint64_t name_size = 0;
  std::uint64_t deviations = 0;
};

std::string_view SignalName(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    default:
      return "";
  }
}

// ---- From here on, in the handler: only async-signal-safe code. ----

void Write(int file, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(file, from, size);
    if (written <= 0) return;
    from += written;
    size -= static_cast<std::size_t>(written);
  }
}

void Say(std::string_view text) {
  Write(STDERR_FILENO, text.data(), text.size());
}

void Say(std::uint64_t number, int base = 10) {
  char digits[24];
  char* at = digits + sizeof(digits);
  do {
    *--at = "0123456789abcdef"[number % base];
    number /= base;
  } while (number != 0);
  Say(std::string_view(at, digits + sizeof(digits) - at));
}

void SayTime(std::int64_t ns) {
  static constexpr struct {
    std::int64_t ns;
    std::string_view name;
  } kUnits[] = {
      {1'000'000'000, " s"}, {1'000'000, " ms"}, {1'000, " us"}, {1, " ns"}};
  for (const auto& unit : kUnits) {
    if (ns % unit.ns != 0) continue;
    Say(static_cast<std::uint64_t>(ns / unit.ns));
    Say(unit.name);
    return;
  }
}

// Same format as FormatReplay.
void SayReplay(std::uint64_t program_seed, const Deviations& deviations) {
  Say("c1/");
  Say(program_seed, 16);
  if (state.input_size > 0) Say(".");
  Say(std::string_view(state.input, state.input_size));
  Say("/");
  if (deviations.empty()) Say("fifo");
  bool first = true;
  for (const Deviation& deviation : deviations) {
    if (!first) Say(",");
    first = false;
    Say(deviation.step);
    if (deviation.choice == Deviation::kTimer) {
      Say(":t");
    } else if (deviation.boundary() > 0) {
      Say(":d");
      if (deviation.boundary() > 1) Say(deviation.boundary());
    } else {
      Say(":");
      Say(deviation.choice);
    }
  }
}

struct TaskName {
  std::string_view given;
  std::uint64_t number = 0;  // For an automatic name; 0: no task.
};

void SayName(const TaskName& name) {
  if (!name.given.empty()) {
    Say(name.given);
  } else {
    Say("Task-");
    Say(name.number);
  }
}

// The instruction that was about to be executed.
void* AddressOf(void* context) {
  [[maybe_unused]] const auto& registers =
      static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return reinterpret_cast<void*>(registers.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return reinterpret_cast<void*>(registers.pc);
#else
  return nullptr;
#endif
}

// What ended the execution. Zero and false: a sanitizer.
struct Cause {
  int signal = 0;
  bool by_exit = false;
  bool stuck = false;
  void* context = nullptr;  // Where the signal occurred. Null: unknown.
};

void Send(const Simulator& simulator, const Cause& cause,
          const TaskName& name) {
  void* frames[kFramesMax];
  const Deviations& deviations = simulator.execution().deviations;
  Header header;

  if (cause.context != nullptr) {
    frames[0] = AddressOf(cause.context);
    header.frames = 1 + backtrace(frames + 1, kFramesMax - 1);
  }
  header.by_exit = cause.by_exit;
  header.stuck = cause.stuck;
  header.after_last_step = simulator.ending();
  header.signal = cause.signal;
  header.program_seed = simulator.seeds().program;
  header.step = simulator.step();
  header.time_ns = simulator.now_ns();
  header.name_size = name.given.size();
  header.deviations = deviations.size();
  Write(state.file, &header, sizeof(header));
  Write(state.file, &name.number, sizeof(name.number));
  Write(state.file, name.given.data(), name.given.size());
  Write(state.file, frames, header.frames * sizeof(frames[0]));
  Write(state.file, deviations.data(), deviations.size() * sizeof(Deviation));
}

void Tell(const Cause& cause) {
  const Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr || state.told || getpid() != state.process) return;
  state.told = true;  // The code below may crash, too.
  TaskName name;
  if (const ThreadHost* const host = simulator->threads();
      host != nullptr && host->Running() != nullptr) {
    name.given = host->Running()->name();
  } else if (const auto* const task =
                 CoreOf(simulator->loop()).current_task()) {
    name = {task->given_name(), task->number()};
  }
  if (state.file >= 0) {
    Send(*simulator, cause, name);
    return;
  }
  Say("\nWHAT      ");
  if (cause.signal != 0) {
    Say("Signal ");
    Say(static_cast<std::uint64_t>(cause.signal));
    Say(" (");
    Say(SignalName(cause.signal));
    Say(")");
  } else if (cause.stuck) {
    Say(state.stuck_text);
  } else {
    Say(cause.by_exit ? "The program called exit()"
                      : "A sanitizer has ended the program");
  }
  if (simulator->ending()) Say(" after the last step");
  Say("\n          ");
  if (name.number != 0 || !name.given.empty()) {
    Say("task ");
    SayName(name);
    Say(", ");
  }
  Say("t = ");
  SayTime(simulator->now_ns());
  Say(", step ");
  Say(simulator->step());
  Say("\n\n");
  std::string_view text(state.text, state.text_size);
  for (std::size_t mark; (mark = text.find(kReplayMark)) != text.npos;) {
    Say(text.substr(0, mark));
    SayReplay(simulator->seeds().program, simulator->execution().deviations);
    text.remove_prefix(mark + kReplayMark.size());
  }
  Say(text);
}

void OnSignal(int signal, siginfo_t* info, void* context) {
  Tell({.signal = signal, .context = context});
  sigaction(signal, &state.previous[signal], nullptr);
  // A fault recurs when this returns, and is then handled as if this handler
  // had never been installed; a signal that was sent must be raised again.
  if (info->si_code <= 0) raise(signal);
}

void OnSanitizer() { Tell({}); }

void OnExit() {
  const bool within = Simulator::Current() != nullptr && !state.told &&
                      getpid() == state.process;
  Tell({.by_exit = true});
  // Whatever exit code the program chose, the test has not passed.
  if (!within) return;
  std::fflush(nullptr);
  _exit(1);
}

// ---- End of the handler. ----

// The first function, from the innermost frame outwards, that a reader knows.
std::string FunctionOf(void* const* frames, int count) {
  for (int i = 0; i < count; ++i) {
    // A caller's frame holds its return address, which may be beyond its end.
    const char* const address =
        static_cast<const char*>(frames[i]) - (i == 0 ? 0 : 1);
    char name[512];
    if (!absl::Symbolize(address, name, sizeof(name))) continue;
    const std::string text(name);
    // Frames outside the loop do not belong to the program.
    if (text.rfind("clotho::EventLoop::", 0) == 0) return "";
    static constexpr std::string_view kOthers[] = {"std::",
                                                   "__",
                                                   "abort",
                                                   "raise",
                                                   "gsignal",
                                                   "pthread",
                                                   "clotho_internal_",
                                                   "testing::",
                                                   "clotho::sim::",
                                                   "clotho::internal::"};
    const bool other = std::any_of(
        std::begin(kOthers), std::end(kOthers), [&](std::string_view prefix) {
          return text.compare(0, prefix.size(), prefix) == 0;
        });
    if (other) continue;
    // For a coroutine, strips the suffix that names the part being run.
    std::size_t end = text.size();
    for (const char* const suffix : {" [clone", " (.", ".resume", ".actor"}) {
      end = std::min(end, text.find(suffix));
    }
    return FunctionName(text.substr(0, end));
  }
  return "";
}

}  // namespace

std::string CrashText(const Crash& crash) {
  if (crash.signal != 0) {
    return absl::StrCat("Signal ", crash.signal, " (",
                        std::string(SignalName(crash.signal)), ")");
  }
  if (crash.stuck) return state.stuck_text;
  return crash.by_exit ? "The program called exit()"
                       : "A sanitizer has ended the program";
}

void InstallCrashHandlers(bool of_sanitizers) {
  state.process = getpid();
  // The first call loads libraries, which a handler must not do.
  void* frame = nullptr;
  backtrace(&frame, 1);
  stack_t stack = {};
  // A sanitizer has its own signal stack.
  if (sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_DISABLE) != 0) {
    stack = {};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof(signal_stack);
    sigaltstack(&stack, nullptr);
  }
  struct sigaction action = {};
  action.sa_sigaction = &OnSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : kSignals) {
    sigaction(signal, &action, &state.previous[signal]);
  }
  if (of_sanitizers && &__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(&OnSanitizer);
  }
  std::atexit(&OnExit);
}

void SetCrashAdvice(std::string_view text) {
  state.text_size = std::min(text.size(), sizeof(state.text));
  std::memcpy(state.text, text.data(), state.text_size);
}

void SetDeathInput(std::string_view input) {
  state.input_size = std::min(input.size(), sizeof(state.input));
  std::memcpy(state.input, input.data(), state.input_size);
}

void TellCrash(int signal) { Tell({.signal = signal}); }

void TellStuck() { Tell({.stuck = true}); }

void SetStuckText(Delay step_max) {
  const std::string text =
      absl::StrCat("One step has taken more than ", step_max.ToString(),
                   " of real time (--clotho_step_watchdog)");
  const std::size_t size = std::min(text.size(), sizeof(state.stuck_text) - 1);
  std::memcpy(state.stuck_text, text.data(), size);
  state.stuck_text[size] = '\0';
}

void SendDeathTo(int file) {
  if (state.process == 0) InstallCrashHandlers();
  state.process = getpid();
  state.file = file;
  state.told = false;
}

std::optional<Crash> ReadCrash(std::string_view bytes) {
  const auto take = [&bytes](void* to, std::size_t size) {
    if (bytes.size() < size) return false;
    if (size > 0) std::memcpy(to, bytes.data(), size);
    bytes.remove_prefix(size);
    return true;
  };
  Header header;
  std::uint64_t number = 0;
  if (!take(&header, sizeof(header)) || header.mark != Header().mark ||
      !take(&number, sizeof(number)) || header.name_size > bytes.size()) {
    return std::nullopt;
  }
  Crash crash;
  crash.task = std::string(bytes.substr(0, header.name_size));
  bytes.remove_prefix(header.name_size);
  if (crash.task.empty() && number != 0) {
    crash.task = absl::StrCat("Task-", number);
  }
  void* frames[kFramesMax];
  if (header.frames < 0 || header.frames > kFramesMax ||
      !take(frames, header.frames * sizeof(frames[0])) ||
      header.deviations > bytes.size() / sizeof(Deviation)) {
    return std::nullopt;
  }
  crash.deviations.resize(header.deviations);
  take(crash.deviations.data(), header.deviations * sizeof(Deviation));
  crash.signal = header.signal;
  crash.by_exit = header.by_exit;
  crash.stuck = header.stuck;
  crash.after_last_step = header.after_last_step;
  crash.program_seed = header.program_seed;
  crash.step = header.step;
  crash.time_ns = header.time_ns;
  crash.function = FunctionOf(frames, header.frames);
  return crash;
}

}  // namespace clotho::sim::internal
