// What locks, semaphores, events, conditions and queues have in common: the
// tasks that wait in their lines, and the guards that hold them.
//
// Neither has to outlive the other: a primitive that is destroyed lets go of
// its waiters and guards, and those leave the primitive's lists when they are
// destroyed.

#ifndef CLOTHO_RUNTIME_PRIMITIVE_H_
#define CLOTHO_RUNTIME_PRIMITIVE_H_

#include <coroutine>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/list.h"
#include "clotho/runtime/internal/shared_string.h"
#include "clotho/runtime/task_base.h"

namespace clotho::internal {

// The name of a primitive. Null if it is empty.
inline Text MakeName(std::string_view name) {
  return name.empty() ? Text() : MakeText(name);
}

// `Lock "db"`; only the type if there is no name.
std::string DescribePrimitive(const char* type, const Text& name);

// Throws RuntimeError: a primitive of type `type` was destroyed while a task
// waited for it.
[[noreturn]] void ThrowDestroyed(const char* type);

// Links a waiter into the line of the primitive that it waits for.
class LineNode : public ListNode {};

// A task that waits for a primitive. `Primitive` has `kType`, its name in
// messages, and `ExplainWait(WaitInfo&)`, which explains what its waiters wait
// for.
template <typename Primitive>
class PrimitiveWaiter final : public WaiterFuture, public LineNode {
 public:
  PrimitiveWaiter(EventLoop& loop, Primitive& primitive)
      : WaiterFuture(loop), primitive_(&primitive) {}

  // Null once the primitive is gone.
  Primitive* primitive() const noexcept { return primitive_; }
  void ForgetPrimitive() noexcept { primitive_ = nullptr; }

  void LeaveLine() noexcept { LineNode::Unlink(); }

  // For the waiting task, when it is resumed: throws what ended the wait,
  // unless the waiter was woken.
  void ThrowUnlessWoken(TaskBase& task) {
    task.ThrowInjected();
    ThrowUnlessValue();
  }
  // Likewise. Throws anyway if the primitive is gone.
  void ThrowIfDestroyed(TaskBase& task) {
    if (primitive_ != nullptr) [[likely]]
      return;
    ThrowUnlessWoken(task);
    ThrowDestroyed(Primitive::kType);
  }

  void Explain(WaitInfo& info) const override {
    if (primitive_ == nullptr) {
      info.what = absl::StrCat(Primitive::kType, " that was destroyed");
    } else {
      primitive_->ExplainWait(info);
    }
  }

 private:
  Primitive* primitive_;
};

// The tasks that wait for a primitive, in the order in which they are woken.
template <typename Primitive>
class PrimitiveLine
    : public IntrusiveList<PrimitiveWaiter<Primitive>, LineNode> {
 public:
  // Called when the primitive is destroyed.
  void ForgetPrimitive() noexcept {
    this->ForEach(
        [](PrimitiveWaiter<Primitive>& waiter) { waiter.ForgetPrimitive(); });
  }
};

template <typename Primitive>
class PrimitiveAwaiter;

// What the functions of a primitive return that wait for it.
template <typename Primitive,
          typename AwaiterType = PrimitiveAwaiter<Primitive>>
class [[nodiscard, gnu::warn_unused]] PrimitiveAwaitable {
 public:
  using Awaiter = AwaiterType;
  explicit PrimitiveAwaitable(Primitive& primitive) : primitive_(primitive) {}
  Primitive& primitive() const { return primitive_; }

 private:
  Primitive& primitive_;
};

// Waits once in the line of a primitive, which has, for its friends:
//   waiters_  The line.
//   binding_  A LoopBinding.
//   bool TryWait(CoroPromiseBase& parent)
//       Returns true if there is nothing to wait for.
//   static Result EndWait(Primitive&, CoroPromiseBase& parent, Waiter* waiter)
//       Returns what the `co_await` returns, or throws what ended the wait.
//       `waiter` is null if the task has not waited. If it has, it is not in
//       the line any more, and the primitive may be gone.
template <typename Primitive>
class [[nodiscard]] PrimitiveAwaiter {
 public:
  PrimitiveAwaiter(CoroPromiseBase& parent,
                   const PrimitiveAwaitable<Primitive>& wait)
      : parent_(parent), primitive_(wait.primitive()) {}
  PrimitiveAwaiter(const PrimitiveAwaiter&) = delete;

  bool await_ready() {
    if (primitive_.TryWait(parent_)) return true;
    primitive_.binding_.Bind(*parent_.task().loop(), primitive_);
    return false;
  }
  void await_suspend(std::coroutine_handle<>) {
    waiter_.emplace(*parent_.task().loop(), primitive_);
    primitive_.waiters_.PushBack(*waiter_);
    parent_.task().WaitOn(parent_, *waiter_);
  }
  auto await_resume() {
    if (waiter_.has_value()) waiter_->LeaveLine();
    return Primitive::EndWait(primitive_, parent_,
                              waiter_.has_value() ? &*waiter_ : nullptr);
  }

 private:
  CoroPromiseBase& parent_;
  Primitive& primitive_;
  std::optional<PrimitiveWaiter<Primitive>> waiter_;
};

// Links a guard into the list of the primitive that it holds.
class GuardNode : public ListNode {};

// Holds a primitive: a lock, or a permit of a semaphore. Can be moved. Gives it
// back when it is destroyed; has nothing to give back once the primitive is
// gone. `Primitive` has, for its friends, a list of its guards `guards_`, and
// `GiveBack()`.
template <typename Primitive>
class [[nodiscard]] PrimitiveGuard : private GuardNode {
 public:
  PrimitiveGuard(PrimitiveGuard&& other) noexcept { MoveFrom(other); }
  PrimitiveGuard& operator=(PrimitiveGuard&& other) noexcept {
    if (this != &other) {
      Release();
      MoveFrom(other);
    }
    return *this;
  }
  ~PrimitiveGuard() { Release(); }

  // Gives it back now. (A permit is dropped if a BoundedSemaphore has all its
  // permits already.)
  void Release() noexcept {
    Primitive* const primitive = primitive_;
    Detach();
    if (primitive != nullptr) primitive->GiveBack();
  }

  // Keeps it taken: it must be given back with the primitive's `Release`.
  void Detach() noexcept {
    Unlink();
    primitive_ = nullptr;
  }

 private:
  friend Primitive;
  friend class IntrusiveList<PrimitiveGuard, GuardNode>;

  explicit PrimitiveGuard(Primitive& primitive) noexcept
      : primitive_(&primitive) {
    primitive.guards_.PushBack(*this);
  }
  void MoveFrom(PrimitiveGuard& other) noexcept {
    primitive_ = std::exchange(other.primitive_, nullptr);
    if (!other.is_linked()) return;
    LinkBefore(other);
    other.Unlink();
  }

  Primitive* primitive_ = nullptr;  // Null while it holds nothing.
};

template <typename Primitive>
using GuardList = IntrusiveList<PrimitiveGuard<Primitive>, GuardNode>;

}  // namespace clotho::internal

#endif  // CLOTHO_RUNTIME_PRIMITIVE_H_
