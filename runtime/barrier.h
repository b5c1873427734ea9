// Barrier: a number of tasks wait for each other, then all continue.
//
//   Barrier start(3);
//   std::size_t position = co_await start.Wait();  // 0, 1 and 2.
//
// The last task to arrive continues at once; the waiting tasks follow. The
// barrier can be reused once all tasks have left it; tasks that arrive earlier
// wait for that. Rules BR-01 to BR-04. For the tasks of one loop, not for
// threads.

#ifndef CLOTHO_RUNTIME_BARRIER_H_
#define CLOTHO_RUNTIME_BARRIER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "clotho/runtime/coro.h"

namespace clotho {

class Barrier {
 public:
  // For `parties` tasks at a time. Throws ValueError if that is less than one.
  // `name` is for reports.
  explicit Barrier(std::int64_t parties, std::string_view name = {});
  // Tasks still waiting for the barrier can only be cancelled.
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Waits until all parties have arrived, and returns this task's position in
  // the order of arrival, from 0. Throws BrokenBarrierError if the barrier is
  // reset or aborted meanwhile, or was aborted before. If the task is
  // cancelled, another can take its place (BR-04).
  Coro<std::size_t> Wait();

  // Makes all waiting tasks throw BrokenBarrierError, and restores the initial
  // state.
  Coro<void> Reset();

  // Makes all current and later waiters throw BrokenBarrierError, until
  // `Reset`.
  Coro<void> Abort();

  std::size_t Parties() const;
  // The number of tasks that wait for others to arrive.
  std::size_t NWaiting() const;
  bool Broken() const;

 private:
  class State;

  // Shared with the waiting tasks, which may outlive the barrier.
  std::shared_ptr<State> state_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_BARRIER_H_
