// What Gather promises, for any delays and failures of its children, in any
// legal order of steps (rules G-02 to G-07).

#include <cstddef>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/checking.h"
#include "clotho/runtime/runtime.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"
#include "rapidcheck/gtest.h"

namespace clotho::properties {
namespace {

// A child that takes so many milliseconds, gives way so often, and then returns
// its place among the children, or fails.
struct Child {
  int delay_ms = 0;
  int yields = 0;
  bool fails = false;
};

std::ostream& operator<<(std::ostream& out, const Child& child) {
  return out << "{" << child.delay_ms << " ms, " << child.yields << " yields"
             << (child.fails ? ", fails" : "") << "}";
}

rc::Gen<std::vector<Child>> Children() {
  return rc::gen::resize(
      6, rc::gen::container<std::vector<Child>>(rc::gen::build<Child>(
             rc::gen::set(&Child::delay_ms, rc::gen::inRange(0, 4)),
             rc::gen::set(&Child::yields, rc::gen::inRange(0, 3)),
             rc::gen::set(&Child::fails, rc::gen::arbitrary<bool>()))));
}

Coro<int> RunChild(Child child, int place, int* ended) {
  for (int i = 0; i < child.yields; ++i) {
    co_await Sleep(absl::ZeroDuration());
  }
  if (child.delay_ms > 0) co_await Sleep(absl::Milliseconds(child.delay_ms));
  ++*ended;
  if (child.fails) throw std::runtime_error(std::to_string(place));
  co_return place;
}

RC_GTEST_PROP(GatherProperty, ResultsStandInTheOrderOfTheArguments, ()) {
  std::vector<Child> children = *Children();
  for (Child& child : children) child.fails = false;
  const auto body = [&]() -> Coro<void> {
    int ended = 0;
    std::vector<Coro<int>> coros;
    std::vector<int> expected;
    for (std::size_t i = 0; i < children.size(); ++i) {
      coros.push_back(RunChild(children[i], static_cast<int>(i), &ended));
      expected.push_back(static_cast<int>(i));
    }
    const std::vector<int> results = co_await Gather(std::move(coros));
    Always(results == expected, "results stand in the order of the arguments");
    Always(ended == static_cast<int>(children.size()),
           "gather returns when all have ended");
  };
  RC_ASSERT(Holds(body));
}

RC_GTEST_PROP(GatherProperty, WithReturnExceptionsEachOutcomeStandsInItsPlace,
              ()) {
  const std::vector<Child> children = *Children();
  const auto body = [&]() -> Coro<void> {
    int ended = 0;
    std::vector<Coro<int>> coros;
    for (std::size_t i = 0; i < children.size(); ++i) {
      coros.push_back(RunChild(children[i], static_cast<int>(i), &ended));
    }
    std::vector<Outcome<int>> outcomes =
        co_await Gather(kReturnExceptions, std::move(coros));
    Always(outcomes.size() == children.size(), "one outcome for each child");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      Always(outcomes[i].ok() != children[i].fails,
             "who fails has an exception, who does not has a value");
      if (outcomes[i].ok()) {
        Always(outcomes[i].value() == static_cast<int>(i),
               "each outcome stands in its place");
      }
    }
  };
  RC_ASSERT(Holds(body));
}

RC_GTEST_PROP(GatherProperty, TheFirstFailureComesOutAndTheOthersGoOn, ()) {
  const std::vector<Child> children = *Children();
  const auto body = [&]() -> Coro<void> {
    int ended = 0;
    int failing = 0;
    std::vector<Task<int>> tasks;
    for (std::size_t i = 0; i < children.size(); ++i) {
      failing += children[i].fails ? 1 : 0;
      Coro<int> child = RunChild(children[i], static_cast<int>(i), &ended);
      tasks.push_back(CreateTask(std::move(child)));
    }
    bool failed = false;
    try {
      const std::vector<int> results = co_await Gather(tasks);
      Always(results.size() == children.size(), "one result for each child");
    } catch (const std::runtime_error&) {
      failed = true;
    }
    Always(failed == (failing > 0), "it fails if a child does");
    for (const Task<int>& task : tasks) {
      while (!task.Done()) co_await Sleep(absl::Milliseconds(1));
      Always(!task.Cancelled(), "a failure does not cancel the others (G-05)");
    }
    Always(ended == static_cast<int>(children.size()), "all go on to the end");
  };
  RC_ASSERT(Holds(body));
}

RC_GTEST_PROP(GatherProperty, CancellingItCancelsTheChildren, ()) {
  std::vector<Child> children = *Children();
  const int cancel_after_ms = *rc::gen::inRange(0, 5);
  for (Child& child : children) child.fails = false;
  const auto body = [&]() -> Coro<void> {
    int ended = 0;
    std::vector<Task<int>> tasks;
    for (std::size_t i = 0; i < children.size(); ++i) {
      Coro<int> child = RunChild(children[i], static_cast<int>(i), &ended);
      tasks.push_back(CreateTask(std::move(child)));
    }
    Future<std::vector<int>> gather = Gather(tasks);
    co_await Sleep(absl::Milliseconds(cancel_after_ms));
    std::vector<bool> was_done;
    for (const Task<int>& task : tasks) was_done.push_back(task.Done());
    const bool accepted = gather.Cancel();
    bool cancelled = false;
    try {
      co_await gather;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    Always(cancelled == accepted, "an accepted cancellation is delivered");
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      while (!tasks[i].Done()) co_await Sleep(absl::ZeroDuration());
      Always(!accepted || was_done[i] || tasks[i].Cancelled(),
             "a child that had not ended is cancelled");
    }
  };
  RC_ASSERT(Holds(body));
}

}  // namespace
}  // namespace clotho::properties
