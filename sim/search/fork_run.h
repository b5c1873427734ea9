// Runs a function in a child process, so that this process survives a crash.

#ifndef CLOTHO_SIM_SEARCH_FORK_RUN_H_
#define CLOTHO_SIM_SEARCH_FORK_RUN_H_

#include <sys/mman.h>

#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "clotho/sim/search/crash_handler.h"

namespace clotho::sim::internal {

// The result of a child process.
struct ChildEnd {
  // Set if the child completed: what it returned.
  std::optional<std::string> said;
  // Set if it crashed within an execution.
  std::optional<Crash> crash;
  // Otherwise: how it ended, or that it was stopped, in words.
  std::string other;
  // The last part of its standard output and standard error.
  std::string output;
};

// Forks, calls `run` in the child, and waits for it. The child is killed at the
// deadline.
ChildEnd RunInChild(
    absl::FunctionRef<std::string()> run,
    std::optional<std::chrono::steady_clock::time_point> deadline = {});

// A trivially copyable value in memory shared with a child process: what the
// child wrote last is readable even after it crashes.
template <typename T>
class SharedWithChild {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  SharedWithChild()
      : memory_(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    new (memory_) T();
  }
  ~SharedWithChild() { munmap(memory_, sizeof(T)); }
  SharedWithChild(const SharedWithChild&) = delete;
  SharedWithChild& operator=(const SharedWithChild&) = delete;

  T* operator->() { return static_cast<T*>(memory_); }

 private:
  void* const memory_;
};

// For `run`: ends the child immediately, with this result.
[[noreturn]] void EndChild(const std::string& said);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_FORK_RUN_H_
