#include "clotho/sim/threads/run_threads.h"

#include <functional>
#include <memory>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/sim/engine/simulator.h"
#include "clotho/sim/threads/interpose.h"
#include "clotho/sim/threads/thread_engine.h"

namespace clotho::sim::internal {
namespace {

// What all executions of a body share.
struct Threads {
  std::function<void()> function;
  std::unique_ptr<ThreadEngine> engine;  // Of the simulator that ran it last.
};

Coro<void> RunThreads(std::shared_ptr<Threads> threads) {
  Simulator& simulator = *Simulator::Current();
  if (threads->engine == nullptr ||
      &threads->engine->simulator() != &simulator) {
    threads->engine = std::make_unique<ThreadEngine>(simulator);
  }
  threads->engine->Run(threads->function);
  co_return;
}

}  // namespace

Body ThreadsBody(std::function<void()> function) {
  UseInterposition();
  auto threads = std::make_shared<Threads>();
  threads->function = std::move(function);
  return [threads] { return RunThreads(threads); };
}

}  // namespace clotho::sim::internal
