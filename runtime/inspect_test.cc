// The table of rule KD-01.

#include "clotho/runtime/inspect.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clotho/runtime/async_generator.h"
#include "clotho/runtime/coro.h"
#include "clotho/runtime/future.h"
#include "clotho/runtime/gather.h"
#include "clotho/runtime/generator.h"
#include "clotho/runtime/sleep.h"
#include "clotho/runtime/task.h"
#include "clotho/runtime/timed.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace clotho {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Names = std::vector<std::string>;

// All concepts that hold for an object.
template <typename T>
Names Kinds() {
  Names names;
  if (IsCoroutine<T>) names.push_back("coroutine");
  if (IsGenerator<T>) names.push_back("generator");
  if (IsAsyncGenerator<T>) names.push_back("async generator");
  if (IsFuture<T>) names.push_back("future");
  if (IsTask<T>) names.push_back("task");
  if (Awaitable<T>) names.push_back("awaitable");
  return names;
}

// All concepts that hold for a function.
template <typename... Args, typename F>
Names FunctionKinds(const F&) {
  Names names = Kinds<F>();
  if (IsCoroutineFunction<F, Args...>) names.push_back("coroutine function");
  if (IsGeneratorFunction<F, Args...>) names.push_back("generator function");
  if (IsAsyncGeneratorFunction<F, Args...>) {
    names.push_back("async generator function");
  }
  return names;
}

struct HasAwait {
  Future<int> Await() { return {}; }
};

TEST(InspectTest, Objects) {
  EXPECT_THAT(Kinds<Coro<int>>(), ElementsAre("coroutine", "awaitable"));
  EXPECT_THAT(Kinds<Generator<int>>(), ElementsAre("generator"));
  EXPECT_THAT((Kinds<Generator<int, int>>()), ElementsAre("generator"));
  EXPECT_THAT(Kinds<AsyncGenerator<int>>(), ElementsAre("async generator"));
  EXPECT_THAT(Kinds<Future<int>>(), ElementsAre("future", "awaitable"));
  EXPECT_THAT(Kinds<Task<int>>(), ElementsAre("future", "task", "awaitable"));
  EXPECT_THAT(Kinds<AnyTask>(), ElementsAre("task"));
  EXPECT_THAT(Kinds<HasAwait>(), ElementsAre("awaitable"));
  EXPECT_THAT(Kinds<decltype(Sleep(absl::Seconds(1)))>(),
              ElementsAre("awaitable"));
  EXPECT_THAT(Kinds<decltype(Gather())>(), ElementsAre("future", "awaitable"));
  EXPECT_THAT(Kinds<int>(), IsEmpty());
  EXPECT_THAT(Kinds<void>(), IsEmpty());
}

TEST(InspectTest, ReferencesAreWhatTheyReferTo) {
  EXPECT_THAT(Kinds<const Task<int>&>(),
              ElementsAre("future", "task", "awaitable"));
  EXPECT_THAT(Kinds<Coro<int>&&>(), ElementsAre("coroutine", "awaitable"));
  EXPECT_THAT(Kinds<const Generator<int>&>(), ElementsAre("generator"));
}

int Plain(int i) { return i; }
Coro<int> Coroutine(int i) { co_return i; }
Generator<int> Values(int i) { co_yield i; }
AsyncGenerator<int> AsyncValues(int i) { co_yield i; }
Future<int> GivesAFuture() { return {}; }

struct Client {
  Coro<int> Fetch(std::string) { co_return 1; }
};

TEST(InspectTest, Functions) {
  EXPECT_THAT(FunctionKinds(Plain), IsEmpty());
  EXPECT_THAT(FunctionKinds(Coroutine), ElementsAre("coroutine function"));
  EXPECT_THAT(FunctionKinds(&Coroutine), ElementsAre("coroutine function"));
  EXPECT_THAT(FunctionKinds(Values), ElementsAre("generator function"));
  EXPECT_THAT(FunctionKinds(AsyncValues),
              ElementsAre("async generator function"));
  EXPECT_THAT(FunctionKinds(GivesAFuture), IsEmpty());
  EXPECT_THAT(FunctionKinds(1), IsEmpty());
}

TEST(InspectTest, Lambdas) {
  const int captured = 1;
  EXPECT_THAT(FunctionKinds([captured]() -> Coro<int> { co_return captured; }),
              ElementsAre("coroutine function"));
  EXPECT_THAT(
      FunctionKinds([](int, std::string) -> Generator<int> { co_yield 1; }),
      ElementsAre("generator function"));
  EXPECT_THAT(FunctionKinds([p = std::make_unique<int>(1)](int) -> Coro<int> {
                co_return *p;
              }),
              ElementsAre("coroutine function"));
  EXPECT_THAT(
      FunctionKinds([](int) mutable noexcept -> Coro<int> { co_return 1; }),
      ElementsAre("coroutine function"));
}

TEST(InspectTest, FunctionsOfFunctions) {
  EXPECT_THAT(FunctionKinds(std::function<Coro<int>(int)>()),
              ElementsAre("coroutine function"));
  EXPECT_THAT(FunctionKinds(std::bind_front(Coroutine, 1)),
              ElementsAre("coroutine function"));
  EXPECT_THAT(FunctionKinds<int>(Timed("coroutine", Coroutine)),
              ElementsAre("coroutine function"));
}

TEST(InspectTest, WhatHasManySignaturesIsLookedAtWithArguments) {
  const auto any = [](auto value) -> Coro<decltype(value)> { co_return value; };
  EXPECT_THAT(FunctionKinds(any), IsEmpty());
  EXPECT_THAT(FunctionKinds<int>(any), ElementsAre("coroutine function"));
  EXPECT_THAT((FunctionKinds<Client&, std::string>(&Client::Fetch)),
              ElementsAre("coroutine function"));
  EXPECT_THAT(FunctionKinds<std::string>(Coroutine), IsEmpty());  // Takes int.
}

}  // namespace
}  // namespace clotho
