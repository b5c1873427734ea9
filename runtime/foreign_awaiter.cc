#include "clotho/runtime/foreign_awaiter.h"

#include <atomic>
#include <coroutine>
#include <exception>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/task_base.h"
#include "clotho/runtime/thread_link.h"

namespace clotho::internal {

namespace {

// Done when the handle was resumed.
class ResumedFuture final : public ValueFuture<void> {
 public:
  explicit ResumedFuture(EventLoop& loop)
      : ValueFuture<void>(loop, Storage::kCounted) {}
  bool Cancel(const Text&) override { return false; }
  void Explain(WaitInfo& info) const override {
    info.what = "an awaitable of another library";
  }
};

}  // namespace

class ForeignLink final : public ThreadLink {
 public:
  ForeignLink(EventLoop& loop, FutureBase& resumed)
      : ThreadLink(RunnableKind::kInternal, loop, resumed), loop_(&loop) {}

  // In any thread.
  void Resume() {
    handle_is_gone_ = true;
    if (running_loop == loop_) {
      if (future()) Act(*future());
    } else {
      Notify();
    }
  }
  // It was resumed or destroyed.
  bool handle_is_gone() const noexcept { return handle_is_gone_; }
  void HandleIsGone() noexcept { handle_is_gone_ = true; }

  void Act(FutureBase& resumed) override {
    if (!resumed.done()) static_cast<ResumedFuture&>(resumed).SetValue();
  }

  Runnable* EventualStep() override {
    return future() && !future()->done() ? future()->FirstEventualStep()
                                         : nullptr;
  }

 private:
  const EventLoop* const loop_;
  std::atomic<bool> handle_is_gone_ = false;
};

namespace {

// The reference of the coroutine behind a handle.
class HandleRef {
 public:
  explicit HandleRef(ForeignLink& link) noexcept : link_(&link) {
    link.AddRef();
  }
  HandleRef(HandleRef&& other) noexcept
      : link_(std::exchange(other.link_, nullptr)) {}
  ~HandleRef() {
    if (link_ == nullptr) return;
    link_->HandleIsGone();
    link_->Release();
  }
  ForeignLink* operator->() const noexcept { return link_; }

 private:
  ForeignLink* link_;
};

// What a foreign object resumes. It is made and ends in any thread, so its
// frame is not of a thread's pool; and it destroys itself, as the loop's thread
// may be past the await by then.
struct Resumer {
  struct promise_type {
    Resumer get_return_object() noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};

Resumer MakeResumer(HandleRef link) {
  link->Resume();
  co_return;
}

}  // namespace

ForeignWait::~ForeignWait() {
  if (link_ == nullptr) return;
  if (!link_->handle_is_gone()) handle_.destroy();
  link_->Cut();
  link_->Release();
}

std::coroutine_handle<> ForeignWait::Begin(CoroPromiseBase& parent) {
  parent_ = &parent;
  TaskBase& task = parent.task();
  EventLoop& loop = *task.loop();
  resumed_ = Ref<FutureBase>(new ResumedFuture(loop));
  link_ = new ForeignLink(loop, *resumed_);
  link_->AddRef();
  handle_ = MakeResumer(HandleRef(*link_)).handle;
  task.WaitOn(parent, *resumed_);
  return handle_;
}

void ForeignWait::End(std::exception_ptr error) {
  error_ = std::move(error);
  if (!link_->handle_is_gone()) handle_.destroy();
  link_->Act(*resumed_);
}

void ForeignWait::RethrowError() {
  if (parent_ == nullptr) return;
  resumed_->ThrowUnlessValue();  // It holds none: for who watches accesses.
  if (error_ == nullptr) return;
  ThrowCancelled();
  std::rethrow_exception(std::move(error_));
}

bool ForeignWait::IsCancelled() const noexcept {
  return parent_ != nullptr && parent_->task().HasInjected();
}

void ForeignWait::ThrowCancelled() { parent_->task().ThrowInjected(); }

}  // namespace clotho::internal
