// What Gather promises, for any durations and failures of its children, in any
// legal order of steps (rules G-02 to G-07). Also gathers that break these
// promises.

#include <cstddef>
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

// A child that takes a while, then returns its index among the children, or
// fails. A cancelled child may take another while, and may continue after it.
struct Child {
  Pause pause;
  bool fails = false;
  Pause cleanup;
  bool swallows = false;
};

std::ostream& operator<<(std::ostream& out, const Child& child) {
  return out << "{" << child.pause << (child.fails ? ", fails" : "")
             << "; when cancelled " << child.cleanup
             << (child.swallows ? ", swallows" : "") << "}";
}

struct Input {
  std::vector<Child> children;
  Pause until_cancel;

  static rc::Gen<Input> Any();
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  for (const Child& child : input.children) out << child << " ";
  return out << "cancelled after " << input.until_cancel;
}

rc::Gen<Input> Input::Any() {
  return rc::gen::build<Input>(
      rc::gen::set(
          &Input::children,
          UpTo(5, rc::gen::build<Child>(
                      rc::gen::set(&Child::pause, Pauses()),
                      rc::gen::set(&Child::fails, rc::gen::arbitrary<bool>()),
                      rc::gen::set(&Child::cleanup, Pauses()),
                      rc::gen::set(&Child::swallows,
                                   rc::gen::arbitrary<bool>())))),
      rc::gen::set(&Input::until_cancel, Pauses()));
}

// What the children have done.
struct Seen {
  int ended = 0;
  std::vector<std::string> failures;  // In the order of occurrence.
};

Coro<int> RunChild(Child child, int place, Seen* seen) {
  bool cancelled = false;
  try {
    co_await Take(child.pause);
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) {
    co_await Take(child.cleanup);
    if (!child.swallows) {
      ++seen->ended;
      throw CancelledError();
    }
  }
  ++seen->ended;
  if (child.fails) {
    seen->failures.push_back(std::to_string(place));
    throw std::runtime_error(std::to_string(place));
  }
  co_return place;
}

using Tasks = std::vector<Task<int>>;

Tasks Start(const std::vector<Child>& children, Seen& seen) {
  Tasks tasks;
  for (std::size_t i = 0; i < children.size(); ++i) {
    auto child = RunChild(children[i], static_cast<int>(i), &seen);
    tasks.push_back(CreateTask(std::move(child)));
  }
  return tasks;
}

// Waits until all have ended, with any outcome.
Coro<void> Finish(Tasks tasks) {
  if (!tasks.empty()) co_await Wait(tasks);
  for (const Task<int>& task : tasks) {
    if (!task.Cancelled()) static_cast<void>(task.GetException());
  }
}

// The implementation under test.
struct RealGather {
  static Future<std::vector<int>> Values(Tasks tasks) { return Gather(tasks); }
  static Future<std::vector<Outcome<int>>> Outcomes(Tasks tasks) {
    return Gather(kReturnExceptions, tasks);
  }
};

// G-02, G-04; I-11.
template <typename G>
Coro<void> ResultsStandInTheOrderOfTheArguments(const Input& input) {
  std::vector<Child> children = input.children;
  std::vector<int> expected;
  for (Child& child : children) {
    child.fails = false;
    expected.push_back(static_cast<int>(expected.size()));
  }
  Seen seen;
  Tasks tasks = Start(children, seen);
  const std::vector<int> results = co_await G::Values(tasks);
  Always(results == expected, "results stand in the order of the arguments");
  Always(seen.ended == static_cast<int>(children.size()),
         "gather returns when all have ended");
}

// G-04; I-7.
template <typename G>
Coro<void> EachOutcomeStandsInItsPlace(const Input& input) {
  Seen seen;
  Tasks tasks = Start(input.children, seen);
  std::vector<Outcome<int>> outcomes = co_await G::Outcomes(tasks);
  Always(outcomes.size() == tasks.size(), "there is one outcome for each");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::string failure;
    try {
      Always(outcomes[i].value() == static_cast<int>(i),
             "each value stands in its place");
    } catch (const std::runtime_error& error) {
      failure = error.what();
    }
    Always(failure == (input.children[i].fails ? std::to_string(i) : ""),
           "each failure stands in its place");
  }
}

// G-04, G-05; I-7.
template <typename G>
Coro<void> TheFirstFailureComesOutAndTheOthersGoOn(const Input& input) {
  Seen seen;
  Tasks tasks = Start(input.children, seen);
  std::string failure;
  try {
    co_await G::Values(tasks);
  } catch (const std::runtime_error& error) {
    failure = error.what();
  }
  Always(!seen.failures.empty() || seen.ended == static_cast<int>(tasks.size()),
         "without a failure all have ended");
  Always(failure == (seen.failures.empty() ? "" : seen.failures.front()),
         "what comes out is the first failure");
  co_await Finish(tasks);
  for (const Task<int>& task : tasks) {
    Always(!task.Cancelled(), "a failure does not cancel the others");
  }
  Always(seen.ended == static_cast<int>(tasks.size()), "all go on to the end");
}

// G-06, G-07; I-1, I-5. `kOutcomes`: with return_exceptions.
template <typename G, bool kOutcomes>
Coro<void> CancellingItCancelsTheChildren(const Input& input) {
  Seen seen;
  Tasks tasks = Start(input.children, seen);
  auto gather = [&] {
    if constexpr (kOutcomes) {
      return G::Outcomes(tasks);
    } else {
      return G::Values(tasks);
    }
  }();
  co_await Take(input.until_cancel);
  std::vector<bool> was_done;
  bool all_were_done = true;
  for (const Task<int>& task : tasks) {
    was_done.push_back(task.Done());
    all_were_done = all_were_done && task.Done();
  }
  const bool was_over = gather.Done();
  const bool accepted = gather.Cancel();
  // Otherwise the children have ended, and the gather is about to learn it
  // (G-06).
  Always(accepted == (!was_over && !all_were_done),
         "a cancellation is accepted while a child is not done");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Always(tasks[i].Cancelling() == (accepted && !was_done[i] ? 1 : 0),
           "each child that is not done is cancelled once");
  }
  bool cancelled = false;
  bool failed = false;
  try {
    co_await gather;
  } catch (const CancelledError&) {
    cancelled = true;
  } catch (const std::runtime_error&) {
    failed = true;
  }
  Always(cancelled || !accepted || (failed && !kOutcomes),
         "an accepted cancellation comes out, unless a child has failed");
  Always(!cancelled || accepted, "nobody else cancels it");
  co_await Finish(tasks);
}

CLOTHO_INVARIANT(GatherProperty, ResultsStandInTheOrderOfTheArguments, Input,
                 ResultsStandInTheOrderOfTheArguments<RealGather>)
CLOTHO_INVARIANT(GatherProperty, EachOutcomeStandsInItsPlace, Input,
                 EachOutcomeStandsInItsPlace<RealGather>)
CLOTHO_INVARIANT(GatherProperty, TheFirstFailureComesOutAndTheOthersGoOn, Input,
                 TheFirstFailureComesOutAndTheOthersGoOn<RealGather>)
CLOTHO_INVARIANT(GatherProperty, CancellingItCancelsTheChildren, Input,
                 CancellingItCancelsTheChildren<RealGather, false>)
CLOTHO_INVARIANT(GatherProperty, CancellingItWithOutcomesCancelsTheChildren,
                 Input, CancellingItCancelsTheChildren<RealGather, true>)

// ---- Gathers that do not keep their promises. ----

struct GatherInCompletionOrder {
  static Coro<std::vector<int>> Run(Tasks tasks) {
    std::vector<int> results;
    for (auto next : AsCompleted(tasks)) {
      const int result = co_await std::move(next);
      results.push_back(result);
    }
    co_return results;
  }
  static Future<std::vector<int>> Values(Tasks tasks) {
    return CreateTask(Run(std::move(tasks)));
  }
};

struct GatherThatReturnsEarly {
  static Future<std::vector<int>> Values(Tasks tasks) {
    const auto run = [](Tasks tasks) -> Coro<std::vector<int>> {
      if (!tasks.empty()) {
        co_await Wait(tasks, {.return_when = ReturnWhen::kFirstCompleted});
      }
      std::vector<int> results;
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        results.push_back(static_cast<int>(i));
      }
      co_return results;
    };
    return CreateTask(run(std::move(tasks)));
  }
};

// Throws the failure of the first failed argument.
struct GatherInArgumentOrder {
  static Future<std::vector<int>> Values(Tasks tasks) {
    const auto run = [](Tasks tasks) -> Coro<std::vector<int>> {
      std::vector<int> results;
      for (const Task<int>& task : tasks) {
        const int result = co_await task;
        results.push_back(result);
      }
      co_return results;
    };
    return CreateTask(run(std::move(tasks)));
  }
};

// Like a TaskGroup.
struct GatherThatCancelsTheOthers {
  static Future<std::vector<int>> Values(Tasks tasks) {
    for (const Task<int>& task : tasks) {
      task.AddDoneCallback([tasks](Future<int> done) {
        if (done.Cancelled() || done.GetException() == nullptr) return;
        for (const Task<int>& other : tasks) other.Cancel();
      });
    }
    return Gather(tasks);
  }
};

// The outcomes of failed children come last.
struct GatherWithFailuresAtTheEnd {
  static Future<std::vector<Outcome<int>>> Outcomes(Tasks tasks) {
    const auto run = [](Tasks tasks) -> Coro<std::vector<Outcome<int>>> {
      std::vector<Outcome<int>> outcomes =
          co_await Gather(kReturnExceptions, tasks);
      std::vector<Outcome<int>> sorted;
      for (const bool ok : {true, false}) {
        for (const Outcome<int>& outcome : outcomes) {
          if (outcome.ok() == ok) sorted.push_back(outcome);
        }
      }
      co_return sorted;
    };
    return CreateTask(run(std::move(tasks)));
  }
};

// Cancels the children in its own way.
template <typename Result>
class GatherWithItsOwnCancel {
 public:
  GatherWithItsOwnCancel(Future<Result> gather, std::function<bool()> cancel)
      : gather_(std::move(gather)), cancel_(std::move(cancel)) {}
  bool Done() const { return gather_.Done(); }
  bool Cancel() const { return cancel_(); }
  Coro<Result> Await() const { return Forward(gather_); }

 private:
  static Coro<Result> Forward(Future<Result> gather) {
    co_return co_await gather;
  }

  Future<Result> gather_;
  std::function<bool()> cancel_;
};

struct GatherThatCancelsTheFirstTwice {
  static auto Values(Tasks tasks) {
    Future<std::vector<int>> gather = Gather(tasks);
    return GatherWithItsOwnCancel<std::vector<int>>(gather, [=] {
      const bool accepted = gather.Cancel();
      if (accepted) tasks.front().Cancel();
      return accepted;
    });
  }
};

// H-47: cancellations become outcomes, and are not reported further.
struct GatherThatSwallowsItsCancellation {
  static auto Outcomes(Tasks tasks) {
    return GatherWithItsOwnCancel<std::vector<Outcome<int>>>(
        Gather(kReturnExceptions, tasks), [tasks] {
          bool accepted = false;
          for (const Task<int>& task : tasks) accepted |= task.Cancel();
          return accepted;
        });
  }
};

TEST(GatherMutants, InCompletionOrder) {
  EXPECT_EQ(
      Refutation(ResultsStandInTheOrderOfTheArguments<GatherInCompletionOrder>),
      False("results stand in the order of the arguments"));
}

TEST(GatherMutants, ReturnsEarly) {
  EXPECT_EQ(
      Refutation(ResultsStandInTheOrderOfTheArguments<GatherThatReturnsEarly>),
      False("gather returns when all have ended"));
}

TEST(GatherMutants, FailsInArgumentOrder) {
  EXPECT_EQ(Refutation(
                TheFirstFailureComesOutAndTheOthersGoOn<GatherInArgumentOrder>),
            False("what comes out is the first failure"));
}

TEST(GatherMutants, CancelsTheOthers) {
  EXPECT_EQ(
      Refutation(
          TheFirstFailureComesOutAndTheOthersGoOn<GatherThatCancelsTheOthers>),
      False("a failure does not cancel the others"));
}

TEST(GatherMutants, PutsFailuresAtTheEnd) {
  EXPECT_EQ(Refutation(EachOutcomeStandsInItsPlace<GatherWithFailuresAtTheEnd>),
            False("each value stands in its place"));
}

TEST(GatherMutants, CancelsTheFirstTwice) {
  EXPECT_EQ(
      Refutation(CancellingItCancelsTheChildren<GatherThatCancelsTheFirstTwice,
                                                false>),
      False("each child that is not done is cancelled once"));
}

TEST(GatherMutants, SwallowsItsCancellation) {
  EXPECT_EQ(
      Refutation(
          CancellingItCancelsTheChildren<GatherThatSwallowsItsCancellation,
                                         true>),
      False("an accepted cancellation comes out, unless a child has failed"));
}

}  // namespace
}  // namespace clotho::properties
