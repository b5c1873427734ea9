// CPython's tests of asyncio.shield (test_tasks.py), ported to Shield. Each
// test has the name of the original method.

#include <exception>
#include <tuple>
#include <utility>

#include "clotho/runtime/coro.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/shield.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/testing/fixtures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using internal::Repr;
using internal::Thrown;
using ::testing::HasSubstr;

class BaseTaskTests : public internal::RuntimeTest {
 protected:
  Coro<int> Return42() { co_return 42; }
};

TEST_F(BaseTaskTests, ShieldResult) {
  Future<int> inner(loop_);
  Future<int> outer = Shield(inner);
  inner.SetResult(42);
  EXPECT_EQ(loop_.RunUntilComplete(outer), 42);
}

TEST_F(BaseTaskTests, ShieldException) {
  Future<int> inner(loop_);
  Future<int> outer = Shield(inner);
  Iterate();
  const auto exception = std::make_exception_ptr(RuntimeError("expected"));
  inner.SetException(exception);
  Iterate();
  EXPECT_EQ(outer.GetException(), exception);  // The same object.
}

TEST_F(BaseTaskTests, ShieldCancelInner) {
  Future<int> inner(loop_);
  Future<int> outer = Shield(inner);
  Iterate();
  inner.Cancel();
  Iterate();
  EXPECT_TRUE(outer.Cancelled());
}

TEST_F(BaseTaskTests, ShieldCancelOuter) {
  Future<int> inner(loop_);
  Future<int> outer = Shield(inner);
  Iterate();
  outer.Cancel();
  Iterate();
  EXPECT_TRUE(outer.Cancelled());
  EXPECT_FALSE(inner.Done());
  // Neither refers to the other.
  EXPECT_TRUE(outer.state()->waiters().empty());
  EXPECT_TRUE(inner.state()->waiters().empty());
}

TEST_F(BaseTaskTests, ShieldShortcut) {
  Future<int> future(loop_);
  future.SetResult(42);
  EXPECT_EQ(loop_.RunUntilComplete(Shield(future)), 42);
}

TEST_F(BaseTaskTests, ShieldEffect) {
  int proof = 0;
  Future<void> waiter(loop_);
  const auto inner = [&]() -> Coro<void> {
    co_await waiter;
    proof += 1;
  };
  const auto outer = [&]() -> Coro<void> {
    co_await Shield(inner());
    proof += 100;
  };
  Task<void> task = Start(outer());
  Iterate(2);
  task.Cancel();
  EXPECT_THROW(loop_.RunUntilComplete(task), CancelledError);
  waiter.SetResult();
  Iterate();
  EXPECT_EQ(proof, 1);
}

TEST_F(BaseTaskTests, ShieldGather) {
  Future<int> child1(loop_);
  Future<int> child2(loop_);
  Future<std::tuple<int, int>> parent = Gather(child1, child2);
  Future<std::tuple<int, int>> outer = Shield(parent);
  Iterate();
  outer.Cancel();
  Iterate();
  EXPECT_TRUE(outer.Cancelled());
  child1.SetResult(1);
  child2.SetResult(2);
  Iterate();
  EXPECT_EQ(parent.Result(), std::tuple(1, 2));
}

TEST_F(BaseTaskTests, GatherShield) {
  Future<int> child1(loop_);
  Future<int> child2(loop_);
  Future<int> inner1 = Shield(child1);
  Future<int> inner2 = Shield(child2);
  Future<std::tuple<int, int>> parent = Gather(inner1, inner2);
  Iterate();
  parent.Cancel();  // Reaches the shields, and stops there.
  Iterate(2);
  EXPECT_EQ(Repr(parent.GetException()), "CancelledError()");
  EXPECT_TRUE(inner1.Cancelled());
  EXPECT_TRUE(inner2.Cancelled());
  EXPECT_FALSE(child1.Done());
  EXPECT_FALSE(child2.Done());
  child1.SetResult(1);
  child2.SetResult(2);
  Iterate();
}

TEST_F(BaseTaskTests, ShieldCoroutineWithoutLoop) {
  testing::internal::CaptureStderr();
  EXPECT_THAT(Thrown([&] { (void)Shield(Return42()); }),
              HasSubstr("RuntimeError: no running event loop"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("never awaited"));
}

TEST_F(BaseTaskTests, ShieldCoroutineUseRunningLoop) {
  const auto shield = [&]() -> Coro<Future<int>> {
    co_return Shield(Return42());
  };
  Future<int> outer = Run(shield());
  EXPECT_EQ(&outer.GetLoop(), &loop_);
  EXPECT_EQ(loop_.RunUntilComplete(outer), 42);
}

}  // namespace
}  // namespace clotho
