// ThreadLink: connects a future of a loop to something in another thread.
//
// References to futures are counted without atomics, so no other thread may
// hold one. The ThreadLink holds the reference instead, and its own count is
// atomic. The other thread calls `Notify` once, and the link then acts on the
// future in the loop's thread. When the future is done or the loop is closed,
// the link is cut: later actions of the other thread have no effect.

#ifndef CLOTHO_RUNTIME_THREAD_LINK_H_
#define CLOTHO_RUNTIME_THREAD_LINK_H_

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "clotho/runtime/concurrent_future.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/frame_pool.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/internal/stored.h"
#include "clotho/runtime/mailbox.h"

namespace clotho::internal {

class ThreadLink : public Mail, public Runnable, public ThreadLinkNode {
 public:
  ThreadLink(RunnableKind kind, EventLoop& loop, FutureBase& future);

  // May be called from any thread.
  void AddRef() noexcept { references_.fetch_add(1); }
  void Release() noexcept {
    if (references_.fetch_sub(1) == 1) delete this;
  }
  // Makes the link act on its future. Call once.
  void Notify();

  // Called in the loop's thread. A second call does nothing.
  void Cut() noexcept final;
  // Null after `Cut`.
  const Ref<FutureBase>& future() const noexcept { return future_; }

  void Deliver(EventLoop& loop) final;
  void Run() final;
  void Drop() noexcept final { Release(); }

 protected:
  virtual ~ThreadLink() = default;
  virtual void Act(FutureBase& future) = 0;

 private:
  std::atomic<int> references_ = 1;  // The loop's.
  const std::shared_ptr<Mailbox> mailbox_;
  Ref<FutureBase> future_;
};

// Completes a future of a loop with the outcome of a ConcurrentFuture.
template <typename T>
class ResultLink final : public ThreadLink {
 public:
  using State = TypedConcurrentState<T>;

  // `is_only_user`: nothing else will read the value of `source`.
  ResultLink(EventLoop& loop, FutureBase& future, std::shared_ptr<State> source,
             bool is_only_user)
      : ThreadLink(RunnableKind::kInternal, loop, future),
        source_(std::move(source)),
        is_only_user_(is_only_user) {}

  Runnable* EventualStep() override {
    return future() && !future()->done() ? future()->FirstEventualStep()
                                         : nullptr;
  }

 private:
  void Act(FutureBase& future) override {
    if (future.done()) return;  // Cancelled meanwhile (F-15).
    if (source_->cancelled()) {
      future.Cancel(nullptr);
      return;
    }
    if (std::exception_ptr error = source_->GetException(std::nullopt)) {
      future.SetException(std::move(error));
      return;
    }
    auto& to = static_cast<ValueFuture<T>&>(future);
    if constexpr (std::is_copy_constructible_v<Stored<T>>) {
      if (!is_only_user_) {
        to.SetValue(source_->value());
        return;
      }
    }
    to.SetValue(std::move(source_->value()));
  }

  const std::shared_ptr<State> source_;
  const bool is_only_user_;
};

// Notifies `thread_link` when `future` is done.
void NotifyWhenDone(ConcurrentState& future, ThreadLink& thread_link);

// Cancels a task because its ConcurrentFuture was cancelled.
class CancelLink final : public ThreadLink {
 public:
  CancelLink(EventLoop& loop, FutureBase& task)
      : ThreadLink(RunnableKind::kCallback, loop, task) {}

 private:
  void Act(FutureBase& task) override { task.Cancel(nullptr); }
};

// Waits for the future of a link, and cuts the link when the future is done or
// destroyed.
class Relay : public Runnable, public Pooled {
 public:
  void Run() final;
  void Drop() noexcept final;
  Runnable* EventualStep() final { return nullptr; }

 protected:
  explicit Relay(ThreadLink& thread_link);
  virtual ~Relay();
  // The future is done, and the link is cut.
  virtual void Pass(Ref<FutureBase> future) = 0;
  // The future will never be done.
  virtual void GiveUp() noexcept {}

 private:
  struct Deleter {
    void operator()(Relay* relay) const { delete relay; }
  };

  ThreadLink& thread_link_;
};

// Passes the cancellation of a future on to the ConcurrentFuture it waits for.
class CancelRelay final : public Relay {
 public:
  CancelRelay(ThreadLink& thread_link, std::shared_ptr<ConcurrentState> to)
      : Relay(thread_link), to_(std::move(to)) {}

 private:
  void Pass(Ref<FutureBase> future) override;

  std::shared_ptr<ConcurrentState> to_;
};

// Passes the outcome of a task on to a ConcurrentFuture.
template <typename T>
class OutcomeRelay final : public Relay {
 public:
  using State = TypedConcurrentState<T>;

  OutcomeRelay(ThreadLink& thread_link, std::shared_ptr<State> to)
      : Relay(thread_link), to_(std::move(to)) {}

 private:
  // Releases the task, unless others hold it, before the other thread can see
  // its outcome.
  void Pass(Ref<FutureBase> task) override {
    if (task->state() == FutureBase::State::kCancelled) to_->Cancel();
    if (!to_->SetRunningOrNotifyCancel()) return;
    if (std::exception_ptr error = task->OutcomeAsException()) {
      task = nullptr;
      to_->SetException(std::move(error));
      return;
    }
    auto& value = *static_cast<Stored<T>*>(task->value_address());
    if constexpr (std::is_copy_constructible_v<Stored<T>>) {
      to_->SetValue(value);
    } else {
      to_->SetValue(std::move(value));
    }
  }
  void GiveUp() noexcept override { to_->Cancel(); }

  std::shared_ptr<State> to_;
};

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_THREAD_LINK_H_
