// Barrier: a number of tasks wait for each other, and then all go on.
//
//   Barrier start(3);
//   std::size_t position = co_await start.Wait();  // 0, 1 and 2.
//
// The last to arrive goes on at once, and those who wait follow. The barrier
// can be used again when all of them have left it; who comes earlier waits for
// that. Rules BR-01 to BR-04. It is for the tasks of one loop, not for threads.

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
  // For so many tasks at a time. `name` is for reports. Throws ValueError if
  // that is less than one.
  explicit Barrier(std::int64_t parties, std::string_view name = {});
  // Whoever still waits for it can only be cancelled.
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Waits until all have come, and gives the position in which this task came,
  // from 0. Throws BrokenBarrierError if the barrier is reset or aborted
  // meanwhile, or was aborted before. A task that is cancelled leaves its place
  // to another (BR-04).
  Coro<std::size_t> Wait();

  // Throws BrokenBarrierError in all who wait, and makes it as new.
  Coro<void> Reset();

  // Throws BrokenBarrierError in all who wait, and in all who will, until
  // `Reset`.
  Coro<void> Abort();

  std::size_t Parties() const;
  // How many wait for others to come.
  std::size_t NWaiting() const;
  bool Broken() const;

 private:
  class State;

  // Shared with those who wait, who may outlive the barrier.
  std::shared_ptr<State> state_;
};

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_BARRIER_H_
