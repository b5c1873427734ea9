// What Lock and Semaphore promise to waiters, whichever task is cancelled and
// whenever (rules LK-01 to LK-04, SM-01 to SM-04). Also locks and semaphores
// that break these promises.

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "clotho/properties/runtime/cancel_everywhere.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/queue_model.h"
#include "clotho/runtime/runtime.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using testing::HasSubstr;

class RealLock : public Lock {
 public:
  static constexpr int kPermitsMax = 1;
  explicit RealLock(int) {}
};

template <typename S>
class RealSemaphore : public S {
 public:
  static constexpr int kPermitsMax = 3;
  using S::S;
};

CLOTHO_INVARIANT(LockProperty, KeepsTheLine, Visitors, KeepsTheLine<RealLock>)
CLOTHO_INVARIANT(SemaphoreProperty, KeepsTheLine, Visitors,
                 KeepsTheLine<RealSemaphore<Semaphore>>)
CLOTHO_INVARIANT(BoundedSemaphoreProperty, KeepsTheLine, Visitors,
                 KeepsTheLine<RealSemaphore<BoundedSemaphore>>)

// SM-04; I-3.
template <typename S>
Coro<void> TakesBackNoMoreThanItGave(const Visitors& input) {
  S semaphore(input.permits);
  const std::size_t taken = input.visitors.size();
  if (taken < static_cast<std::size_t>(input.permits)) {
    for (std::size_t i = 0; i < taken; ++i) {
      auto guard = co_await semaphore.Acquire();
      guard.Detach();
    }
    for (std::size_t i = 0; i < taken; ++i) semaphore.Release();
  }
  bool refused = false;
  try {
    semaphore.Release();
  } catch (const ValueError&) {
    refused = true;
  }
  Always(refused, "it takes back no more than it gave");
}

CLOTHO_INVARIANT(BoundedSemaphoreProperty, TakesBackNoMoreThanItGave, Visitors,
                 TakesBackNoMoreThanItGave<BoundedSemaphore>)

TEST(LockModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(FailureAnywhere(KeepsTheLine<RealLock>, VisitorIsCancelled), "");
}
TEST(SemaphoreModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(FailureAnywhere(KeepsTheLine<RealSemaphore<Semaphore>>,
                            VisitorIsCancelled),
            "");
}

// ---- Locks and semaphores that do not keep their promises. ----

enum class Fault {
  kNone,
  kForgetsToWake,   // A release wakes no task.
  kForgetsTheNext,  // H-40, H-51: a cancelled task keeps its wake-up.
  kBarges,          // H-41, H-11: a caller takes it whenever it is free.
  kLastInFirstOut,  // The last waiter is woken first.
  kHasOneMore,      // One permit too many.
};

// asyncio's algorithms, using futures. A guard releases what it holds.
template <typename L>
class Guard {
 public:
  explicit Guard(L& held) : held_(&held) {}
  Guard(Guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (held_ != nullptr) held_->Release();
  }

 private:
  L* held_;
};

template <Fault kFault>
class FaultyLock {
 public:
  static constexpr int kPermitsMax = 1;
  explicit FaultyLock(int) {}
  bool Locked() const { return locked_; }

  Coro<Guard<FaultyLock>> Acquire() {
    if (!locked_ && (line_.empty() || kFault == Fault::kBarges)) {
      locked_ = true;
      co_return Guard<FaultyLock>(*this);
    }
    const Future<void> waiter;
    line_.insert(kFault == Fault::kLastInFirstOut ? line_.begin() : line_.end(),
                 waiter);
    try {
      co_await waiter;
    } catch (const CancelledError&) {
      std::erase(line_, waiter);
      if (!locked_ && kFault != Fault::kForgetsTheNext) WakeFirst();
      throw;
    }
    std::erase(line_, waiter);
    locked_ = true;
    co_return Guard<FaultyLock>(*this);
  }
  void Release() {
    locked_ = false;
    if (kFault != Fault::kForgetsToWake) WakeFirst();
  }

 private:
  void WakeFirst() {
    if (!line_.empty() && !line_.front().Done()) line_.front().SetResult();
  }

  bool locked_ = false;
  std::deque<Future<void>> line_;
};

template <Fault kFault>
class FaultySemaphore {
 public:
  static constexpr int kPermitsMax = 3;
  explicit FaultySemaphore(int permits)
      : permits_(permits + (kFault == Fault::kHasOneMore ? 1 : 0)) {}
  bool Locked() const { return permits_ == 0 || !line_.empty(); }

  Coro<Guard<FaultySemaphore>> Acquire() {
    if (!Locked()) {
      --permits_;
      co_return Guard<FaultySemaphore>(*this);
    }
    const Future<void> waiter;
    line_.insert(kFault == Fault::kLastInFirstOut ? line_.begin() : line_.end(),
                 waiter);
    try {
      co_await waiter;
    } catch (const CancelledError&) {
      const bool has_permit = waiter.Done() && !waiter.Cancelled();
      std::erase(line_, waiter);
      if (kFault == Fault::kForgetsTheNext) throw;
      if (has_permit) ++permits_;
      WakeAsManyAsThereArePermits();
      throw;
    }
    std::erase(line_, waiter);
    WakeAsManyAsThereArePermits();
    co_return Guard<FaultySemaphore>(*this);
  }
  void Release() {
    ++permits_;
    if (kFault != Fault::kForgetsToWake) WakeAsManyAsThereArePermits();
  }

 private:
  // A permit is handed over before the task runs.
  void WakeAsManyAsThereArePermits() {
    for (const Future<void>& waiter : line_) {
      if (waiter.Done()) continue;
      if (permits_ == 0) return;
      --permits_;
      waiter.SetResult();
    }
  }

  int permits_;
  std::deque<Future<void>> line_;
};

// A woken task checks again, and queues at the back if it is too late.
template <>
class FaultySemaphore<Fault::kBarges> {
 public:
  static constexpr int kPermitsMax = 3;
  explicit FaultySemaphore(int permits) : permits_(permits) {}
  bool Locked() const { return permits_ == 0; }

  Coro<Guard<FaultySemaphore>> Acquire() {
    while (permits_ == 0) {
      const Future<void> waiter;
      line_.push_back(waiter);
      try {
        co_await waiter;
      } catch (const CancelledError&) {
        std::erase(line_, waiter);
        if (permits_ > 0) WakeFirst();
        throw;
      }
    }
    --permits_;
    co_return Guard<FaultySemaphore>(*this);
  }
  void Release() {
    ++permits_;
    WakeFirst();
  }

 private:
  void WakeFirst() {
    if (line_.empty()) return;
    if (!line_.front().Done()) line_.front().SetResult();
    line_.pop_front();
  }

  int permits_;
  std::deque<Future<void>> line_;
};

template <Fault kFault>
std::string RefutedLock() {
  return Refutation(KeepsTheLine<FaultyLock<kFault>>);
}
template <Fault kFault>
std::string RefutedSemaphore() {
  return Refutation(KeepsTheLine<FaultySemaphore<kFault>>);
}

TEST(LockMutants, WithoutAFaultItHolds) {
  EXPECT_EQ(RefutedLock<Fault::kNone>(), "");
}
TEST(LockMutants, ForgetsToWake) {
  EXPECT_EQ(RefutedLock<Fault::kForgetsToWake>(),
            False("nobody waits for what is free"));
}
TEST(LockMutants, ForgetsTheNextWhenCancelled) {
  EXPECT_EQ(RefutedLock<Fault::kForgetsTheNext>(),
            False("nobody waits for what is free"));
}
TEST(LockMutants, ModelFindsThoseThatForgetTheNext) {
  EXPECT_THAT(FailureAnywhere(KeepsTheLine<FaultyLock<Fault::kForgetsTheNext>>,
                              VisitorIsCancelled),
              HasSubstr(False("nobody waits for what is free")));
  EXPECT_THAT(
      FailureAnywhere(KeepsTheLine<FaultySemaphore<Fault::kForgetsTheNext>>,
                      VisitorIsCancelled),
      HasSubstr(False("every permit is there in the end")));
}
TEST(LockMutants, Barges) {
  EXPECT_EQ(RefutedLock<Fault::kBarges>(), False("first come, first served"));
}
TEST(LockMutants, LastInFirstOut) {
  EXPECT_EQ(RefutedLock<Fault::kLastInFirstOut>(),
            False("first come, first served"));
}

TEST(SemaphoreMutants, WithoutAFaultItHolds) {
  EXPECT_EQ(RefutedSemaphore<Fault::kNone>(), "");
}
TEST(SemaphoreMutants, ForgetsToWake) {
  EXPECT_EQ(RefutedSemaphore<Fault::kForgetsToWake>(),
            False("nobody waits for what is free"));
}
TEST(SemaphoreMutants, ForgetsTheNextWhenCancelled) {
  EXPECT_EQ(RefutedSemaphore<Fault::kForgetsTheNext>(),
            False("every permit is there in the end"));
}
TEST(SemaphoreMutants, Barges) {
  EXPECT_EQ(RefutedSemaphore<Fault::kBarges>(),
            False("first come, first served"));
}
TEST(SemaphoreMutants, LastInFirstOut) {
  EXPECT_EQ(RefutedSemaphore<Fault::kLastInFirstOut>(),
            False("first come, first served"));
}
TEST(SemaphoreMutants, HasOneMore) {
  EXPECT_EQ(RefutedSemaphore<Fault::kHasOneMore>(),
            False("there are no more permits than at first"));
}
TEST(BoundedSemaphoreMutants, TakesWhateverItIsGiven) {
  EXPECT_EQ(Refutation(TakesBackNoMoreThanItGave<Semaphore>),
            False("it takes back no more than it gave"));
}

}  // namespace
}  // namespace clotho::properties
