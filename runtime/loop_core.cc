#include "clotho/runtime/loop_core.h"

#include <atomic>
#include <cstdint>
#include <memory>

#include "clotho/runtime/clock.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/executor.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/thread_model.h"
#include "clotho/runtime/task_base.h"

namespace clotho::internal {
namespace {

std::uint64_t NextLoopNumber() {
  static constinit std::atomic<std::uint64_t> last = 0;
  return ++last;  // Loops may be created in several threads.
}

}  // namespace

LoopCore::LoopCore(Clock* clock) : clock_(clock), number_(NextLoopNumber()) {
  if (clock_ == nullptr) {
    own_clock_ = std::make_unique<RealClock>();
    clock_ = own_clock_.get();
  }
  mailbox_ = std::make_shared<Mailbox>(*clock_);
}

LoopCore::~LoopCore() = default;

void LoopCore::DoCheckOpen() const {
  // Destructors may call it during teardown; their calls have no effect.
  if (closed() && !tearing_down_) throw RuntimeError("Event loop is closed");
  if (checks_thread_ && running() && running_loop != this) {
    throw RuntimeError(
        "Non-thread-safe operation invoked on an event loop other than the "
        "current one: from another thread, use CallSoonThreadsafe or "
        "RunCoroutineThreadsafe");
  }
}

namespace {

class Nothing final : public Runnable {
 public:
  Nothing() : Runnable(RunnableKind::kInternal) {}
  void Run() override {}
  void Drop() noexcept override {}
  Runnable* EventualStep() override { return nullptr; }
};

}  // namespace

void LoopCore::Withdraw(Runnable& runnable) noexcept {
  static thread_local Nothing nothing;
  ready_.Replace(runnable, nothing);
}

void LoopCore::CheckCanRun() const {
  if (closed()) throw RuntimeError("Event loop is closed");
  if (running()) {
    throw RuntimeError(
        "This event loop is already running: inside of it, co_await what it "
        "should run");
  }
  if (running_loop != nullptr) {
    throw RuntimeError(
        "Cannot run the event loop while another loop is running: co_await in "
        "the one that runs, or run the other in a thread of its own");
  }
}

void LoopCore::Register(FutureBase& future) { futures_.PushBack(future); }

void LoopCore::AdoptTask(TaskBase& task) {
  static_cast<RegistryNode&>(task).Unlink();
  tasks_.PushBack(task);
  task.AddRef();
}

void LoopCore::AdoptAsyncGenerator(AsyncGeneratorNode& generator) {
  SyncUnknown("an AsyncGenerator");
  generator.set_loop(static_cast<EventLoop&>(*this));
  async_generators_.PushBack(generator);
}

void LoopCore::Post(Mail& mail) {
  if (thread_model != nullptr) {
    mail.set_chain(thread_model->chain());
  }
  if (mailbox_->Post(mail)) return;
  mail.Drop();
  throw RuntimeError("Event loop is closed");
}

Executor& LoopCore::DefaultExecutor() {
  CheckOpen();
  if (default_executor_is_shut_down_) {
    throw RuntimeError("Executor shutdown has been called");
  }
  if (default_executor_ == nullptr) {
    default_executor_ = std::make_unique<ThreadPoolExecutor>();
  }
  return *default_executor_;
}

}  // namespace clotho::internal
