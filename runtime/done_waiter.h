// CancelAndWait: cancels a future and waits until it is done, whatever its
// outcome. Cancelling the waiting task ends the wait at once; the future may
// still be pending then.

#ifndef CLOTHO_RUNTIME_DONE_WAITER_H_
#define CLOTHO_RUNTIME_DONE_WAITER_H_

#include <coroutine>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/task_base.h"

namespace clotho::internal {

// Becomes done one hop after `observed`. Held by the awaiter, and by its node
// among the waiters of `observed`.
class DoneWaiter final : public WaiterFuture {
 public:
  DoneWaiter(EventLoop& loop, FutureBase& observed)
      : WaiterFuture(loop), observed_(&observed), node_(*this) {
    AddRef();  // The node's.
    observed.AddWaiter(node_);
  }

  // The awaiter goes away.
  void Leave() {
    if (node_.is_linked()) {
      node_.Unlink();
      Release();
    }
    Release();
  }
  void Explain(WaitInfo& info) const override {
    observed_->Explain(info);
    info.parts.push_back(observed_.get());
  }

 private:
  class Node final : public Runnable {
   public:
    explicit Node(DoneWaiter& waiter)
        : Runnable(RunnableKind::kInternal), waiter_(waiter) {}
    void Run() override {
      waiter_.Wake();
      waiter_.Release();
    }
    void Drop() noexcept override { waiter_.Release(); }
    Runnable* EventualStep() override {
      return waiter_.done() ? nullptr : waiter_.FirstEventualStep();
    }

   private:
    DoneWaiter& waiter_;
  };

  Ref<FutureBase> observed_;
  Node node_;
};

class [[nodiscard, gnu::warn_unused]] CancelAndWait {
 public:
  explicit CancelAndWait(FutureBase& future) : future_(future) {}

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(CoroPromiseBase& parent, const CancelAndWait& wait)
        : parent_(parent), future_(&wait.future_) {}
    Awaiter(const Awaiter&) = delete;
    ~Awaiter() {
      if (waiter_ != nullptr) waiter_->Leave();
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) {
      waiter_ = new DoneWaiter(*parent_.task().loop(), *future_);
      future_->Cancel(nullptr);
      parent_.task().WaitOn(parent_, *waiter_);
    }
    void await_resume() {
      parent_.task().ThrowInjected();
      waiter_->ThrowUnlessValue();
    }

   private:
    CoroPromiseBase& parent_;
    Ref<FutureBase> future_;
    DoneWaiter* waiter_ = nullptr;
  };

 private:
  FutureBase& future_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_DONE_WAITER_H_
