#include "clotho/runtime/runner.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/gather.h"

namespace clotho {
namespace {

// R-05 (a): cancels all that is left and waits for it.
void CancelAllTasks(EventLoop& loop) {
  std::vector<internal::Ref<internal::FutureBase>> left;
  loop.ForEachTask(
      [&left](internal::TaskBase& task) { left.emplace_back(&task); });
  if (left.empty()) return;
  for (const auto& task : left) task->Cancel(nullptr);
  loop.RunUntilComplete(internal::GatherForgotten(loop, left));
  for (const auto& task : left) {
    if (task->state() == internal::FutureBase::State::kCancelled) continue;
    if (task->exception() != nullptr) {
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

EventLoop& Runner::GetLoop() {
  if (closed_) throw RuntimeError("Runner is closed");
  if (loop_ == nullptr) {
    loop_ = options_.loop_factory != nullptr ? options_.loop_factory()
                                             : std::make_unique<EventLoop>();
    context_ = std::make_unique<Context>(CopyContext());
  }
  return *loop_;
}

void Runner::Close() {
  if (loop_ == nullptr || closed_) return;
  closed_ = true;
  struct Closer {
    EventLoop& loop;
    ~Closer() { loop.Close(); }
  } closer{*loop_};
  CancelAllTasks(*loop_);
}

}  // namespace clotho
