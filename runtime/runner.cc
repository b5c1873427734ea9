#include "clotho/runtime/runner.h"

#include <exception>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/current_loop.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/threads.h"

namespace clotho {
namespace {

// How long to wait for the jobs of the default executor.
constexpr int kThreadJoinTimeoutS = 300;

// R-05 (a): cancels all remaining tasks and waits for them.
void CancelAllTasks(EventLoop& loop) {
  internal::FutureVector left;
  CoreOf(loop).ForEachTask(
      [&left](internal::TaskBase& task) { left.emplace_back(&task); });
  if (left.empty()) return;
  for (const auto& task : left) task->Cancel(nullptr);
  loop.RunUntilComplete(internal::GatherForgotten(loop, left));
  for (const auto& task : left) {
    if (task->state() == internal::FutureBase::State::kCancelled) continue;
    if (task->has_exception()) {
      loop.CallExceptionHandler(
          {.source = ExceptionContext::Source::kShutdown,
           .message = "unhandled exception during Run() shutdown",
           .exception = task->exception(),
           .future = task.get(),
           .task = task->AsTask()});
    }
  }
}

}  // namespace

Runner::~Runner() {
  try {
    Close();
  } catch (...) {
    internal::ReportToStandardError(
        {.source = ExceptionContext::Source::kShutdown,
         .message = "a Runner that went away could not be closed",
         .exception = std::current_exception()});
  }
}

EventLoop& Runner::GetLoop() {
  if (closed_) {
    throw RuntimeError("Runner is closed: make another one to run more");
  }
  if (loop_ == nullptr) {
    if (options_.loop_factory != nullptr) {
      loop_ = options_.loop_factory();
    } else {
      loop_ = NewEventLoop();
      SetEventLoop(loop_.get());
    }
    if (options_.debug.has_value()) loop_->SetDebug(*options_.debug);
    context_ = std::make_unique<Context>(CopyContext());
  }
  return *loop_;
}

void Runner::Close() {
  if (loop_ == nullptr || closed_) return;
  closed_ = true;
  struct Closer {
    Runner& runner;
    ~Closer() {
      if (runner.options_.loop_factory == nullptr) SetEventLoop(nullptr);
      runner.loop_->Close();
    }
  } closer{*this};
  CancelAllTasks(*loop_);
  loop_->RunUntilComplete(loop_->ShutdownAsyncgens());
  loop_->RunUntilComplete(
      loop_->ShutdownDefaultExecutor(absl::Seconds(kThreadJoinTimeoutS)));
}

}  // namespace clotho
