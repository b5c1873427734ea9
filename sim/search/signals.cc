#include "clotho/sim/search/signals.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "clotho/runtime/delay.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/engine/stop_requests.h"
#include "clotho/sim/search/crash_handler.h"

namespace clotho::sim::internal {
namespace {

// Debuggers pass it on silently, and hardly any program uses it.
constexpr int kTickSignal = SIGVTALRM;
// The most consecutive ticks that may see the same step. If the whole process
// is stopped, the timer is delayed as well, so the pause counts as one tick.
constexpr int kTicksMax = 10;
// After an interrupt, nobody waits for long.
constexpr std::int64_t kHurryNs = 3'000'000'000;

constexpr int kInterrupts[] = {SIGINT, SIGTERM};

// The state of the handlers.
struct State {
  pid_t process = 0;  // The process that searches. 0: none.
  pthread_t thread = {};
  bool is_child = false;
  std::atomic<pid_t> child{0};
  std::int64_t step_max_ns = 0;
  bool has_timer = false;
  timer_t timer = {};
  struct sigaction previous[std::size(kInterrupts)] = {};
  struct sigaction previous_tick = {};
  // The observations of the last tick.
  std::uint64_t run = 0;
  std::uint64_t step = 0;
  int ticks = 0;
};
State state;

// ---- In handlers: only async-signal-safe code. ----

void Say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// A debugger may stop a step for as long as a person thinks.
bool IsDebugged() {
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[4096];
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  static constexpr std::string_view kTracer = "\nTracerPid:\t";
  const std::string_view status(text, size > 0 ? size : 0);
  const std::size_t at = status.find(kTracer);
  return at != status.npos && at + kTracer.size() < status.size() &&
         status[at + kTracer.size()] != '0';
}

void SetTimer(std::int64_t limit_ns) {
  if (!state.has_timer) return;
  const std::int64_t tick_ns =
      limit_ns == 0 ? 0 : std::max<std::int64_t>(limit_ns / kTicksMax, 1'000);
  itimerspec spec = {};
  spec.it_interval.tv_sec = tick_ns / 1'000'000'000;
  spec.it_interval.tv_nsec = tick_ns % 1'000'000'000;
  spec.it_value = spec.it_interval;
  timer_settime(state.timer, 0, &spec, nullptr);
}

void OnTick(int, siginfo_t*, void*) {
  const int saved_errno = errno;
  const Simulator* const simulator = Simulator::Current();
  if (simulator == nullptr || state.process != getpid()) {
    state.ticks = 0;
  } else if (simulator->run() != state.run || simulator->step() != state.step) {
    state.run = simulator->run();
    state.step = simulator->step();
    state.ticks = 0;
  } else if (++state.ticks >= kTicksMax) {
    state.ticks = 0;
    if (!IsDebugged()) {
      if (const int signal = stop_requests.interrupted_by; signal != 0) {
        TellCrash(signal);
        _exit(128 + signal);
      }
      TellStuck();
      // (abort() in a simulated thread would end the execution only.)
      raise(SIGABRT);
      _exit(128 + SIGABRT);
    }
  }
  errno = saved_errno;
}

void OnInterrupt(int signal, siginfo_t*, void*) {
  const int saved_errno = errno;
  if (state.process != getpid()) {  // A child outside the search.
    ::signal(signal, SIG_DFL);
    raise(signal);
  } else if (state.is_child) {
    // Ctrl-C reaches the child as well, but its parent decides when to end.
    if (signal == SIGTERM && !Interrupted()) {
      stop_requests.interrupted_by = signal;
      SetTimer(kHurryNs);
    }
  } else if (const pid_t child = state.child; Interrupted()) {
    if (child > 0) kill(child, SIGKILL);
    TellCrash(signal);
    _exit(128 + signal);
  } else {
    timespec now = {};
    // The machine's clock, also in a simulated thread.
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    stop_requests.interrupted_at_ns =
        std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
    stop_requests.interrupted_by = signal;
    if (child > 0) kill(child, SIGTERM);
    SetTimer(kHurryNs);
    Say("[  CLOTHO  ] interrupted: this execution is finished, and what it "
        "found is shrunk and written; once more ends it now\n");
  }
  errno = saved_errno;
}

void OnTaskTable(int signal, siginfo_t*, void*) {
  const int saved_errno = errno;
  stop_requests.tasks = true;
  if (Simulator* const simulator = Simulator::Current()) {
    simulator->Attend();
  } else if (state.process != getpid()) {
    Say("[  CLOTHO  ] no search runs now\n");
  } else if (pthread_equal(state.thread, pthread_self()) == 0) {
    pthread_kill(state.thread, signal);  // Any thread may receive a signal.
  }
  errno = saved_errno;
}

// ---- End of the handlers. ----

void Handle(int signal, void (*handler)(int, siginfo_t*, void*),
            struct sigaction* previous) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  // System calls of the program are restarted.
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigaction(signal, &action, previous);
}

// For the searching thread: the handler sees its simulator.
void MakeTimer() {
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kTickSignal;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  state.has_timer = timer_create(CLOCK_MONOTONIC, &event, &state.timer) == 0;
  SetTimer(state.step_max_ns);
}

}  // namespace

void InstallTaskTableSignal() {
  struct sigaction previous = {};
  sigaction(SIGUSR1, nullptr, &previous);
  if (previous.sa_handler == SIG_DFL) Handle(SIGUSR1, &OnTaskTable, nullptr);
}

SignalScope::SignalScope(std::string_view test, Delay step_max) {
  state.process = getpid();
  state.thread = pthread_self();
  state.step_max_ns = step_max.ns();
  state.ticks = 0;
  SetStuckText(step_max);
  searched_test = test;
  for (std::size_t i = 0; i < std::size(kInterrupts); ++i) {
    struct sigaction& previous = state.previous[i];
    sigaction(kInterrupts[i], nullptr, &previous);
    // Background jobs of a shell ignore Ctrl-C.
    if (previous.sa_handler == SIG_IGN) continue;
    Handle(kInterrupts[i], &OnInterrupt, nullptr);
  }
  Handle(kTickSignal, &OnTick, &state.previous_tick);
  MakeTimer();
}

SignalScope::~SignalScope() {
  if (state.has_timer) timer_delete(state.timer);
  state.has_timer = false;
  sigaction(kTickSignal, &state.previous_tick, nullptr);
  for (std::size_t i = 0; i < std::size(kInterrupts); ++i) {
    sigaction(kInterrupts[i], &state.previous[i], nullptr);
  }
  state.process = 0;
  searched_test = "";
}

void SetChildOfSearch(pid_t child) {
  state.child = child;
  // The interrupt may have arrived since the child was created.
  if (child > 0 && state.process == getpid() && Interrupted()) {
    kill(child, SIGTERM);
  }
}

void BecomeChildOfSearch() {
  if (state.process == 0) return;  // That search has no SignalScope.
  state.process = getpid();
  state.thread = pthread_self();
  state.is_child = true;
  state.child = 0;
  state.ticks = 0;
  MakeTimer();  // A child does not inherit the timer.
}

}  // namespace clotho::sim::internal
