// Shield: awaits something without passing cancellation on to it.
//
//   co_await Shield(task);   // If this is cancelled, `task` keeps running.
//
// Rules SH-01 to SH-05. Keep a reference to the shielded task if its outcome
// matters after a cancellation.

#ifndef CLOTHO_RUNTIME_SHIELD_H_
#define CLOTHO_RUNTIME_SHIELD_H_

#include <source_location>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/future_base.h"
#include "clotho/runtime/internal/ref.h"
#include "clotho/runtime/internal/runnable.h"
#include "clotho/runtime/task.h"

namespace clotho {

namespace internal {

// The outer future. Two relays connect it to the inner one: when the inner is
// done, the outer is finished; when the outer is done, the first relay is
// removed.
class ShieldBase : public FutureBase {
 public:
  explicit ShieldBase(FutureBase& inner);
  void Explain(WaitInfo& info) const override;

 protected:
  // Copies the value of the inner future.
  virtual void CopyValue(FutureBase& inner) = 0;

 private:
  class Relay final : public Runnable {
   public:
    explicit Relay(ShieldBase& outer, bool from_inner)
        : Runnable(RunnableKind::kInternal),
          outer_(outer),
          from_inner_(from_inner) {}
    void Run() override;
    void Drop() noexcept override { outer_.Release(); }
    Runnable* EventualStep() override;

   private:
    ShieldBase& outer_;
    const bool from_inner_;
  };

  void InnerIsDone();
  void OuterIsDone();

  Ref<FutureBase> inner_;
  Relay from_inner_{*this, true};
  Relay from_outer_{*this, false};
};

template <typename T>
class ShieldState final : public ValueFuture<T, ShieldBase> {
 public:
  explicit ShieldState(FutureBase& inner) : ValueFuture<T, ShieldBase>(inner) {}

 private:
  void CopyValue(FutureBase& inner) override {
    if constexpr (std::is_copy_constructible_v<Stored<T>>) {
      this->SetValue(ValueOf<T>(inner));
    } else {
      this->SetValue(std::move(ValueOf<T>(inner)));
    }
  }
};

}  // namespace internal

// Returns a future with the outcome of `awaitable`. Cancelling it does not
// cancel `awaitable`. If `awaitable` is already done, its own future is
// returned.
template <Awaitable A>
[[nodiscard]] auto Shield(A awaitable, std::source_location location =
                                           std::source_location::current()) {
  using T = AwaitResult<A>;
  Future<T> inner = EnsureFuture(std::move(awaitable), location);
  if (inner.Done()) return inner;
  return Future<T>(internal::Ref<internal::FutureBase>(
      new internal::ShieldState<T>(*inner.state())));
}

}  // namespace clotho

#endif  // CLOTHO_RUNTIME_SHIELD_H_
