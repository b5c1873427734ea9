// Runs something in a child process, so that this one outlives it.

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

// What came of a child.
struct ChildEnd {
  // It came to the end, and said this.
  std::optional<std::string> said;
  // It died within an execution.
  std::optional<Crash> crash;
  // Else: how it died, or that it was stopped, in words.
  std::string other;
  // What it wrote to its standard output and standard error: the end of it.
  std::string output;
};

// Forks, runs `run` in the child, and waits for it. The child is stopped at the
// deadline.
ChildEnd RunInChild(
    absl::FunctionRef<std::string()> run,
    std::optional<std::chrono::steady_clock::time_point> deadline = {});

// Numbers, or what is made of them, in memory that a child has in common with
// this process: what it wrote there last is there whatever became of it.
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

// For `run`: ends the child at once, with this as what it says.
[[noreturn]] void EndChild(const std::string& said);

}  // namespace clotho::sim::internal

#endif  // CLOTHO_SIM_SEARCH_FORK_RUN_H_
