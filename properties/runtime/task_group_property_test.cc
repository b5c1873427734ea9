// What TaskGroup promises: nothing started in it outlives it, no failure is
// lost, a failure cancels the others, and its own cancellation requests are
// taken back (rules TG-02 to TG-09). Also groups that break these promises.

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

// A task of the group, or its body. When cancelled, it takes another while, and
// then may continue or fail.
struct Member {
  Pause pause;
  bool fails = false;
  bool waits = false;  // To be cancelled, if one of the others fails.
  Pause cleanup;
  bool swallows = false;
};

std::ostream& operator<<(std::ostream& out, const Member& member) {
  return out << "{" << member.pause << (member.fails ? ", fails" : "")
             << (member.waits ? ", waits" : "") << "; when cancelled "
             << member.cleanup << (member.swallows ? ", swallows" : "") << "}";
}

struct Input {
  std::vector<Member> children;
  Member body;
  std::optional<Pause> until_cancel;

  static rc::Gen<Input> Any();
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  out << "body " << input.body << " children";
  for (const Member& child : input.children) out << " " << child;
  if (input.until_cancel.has_value()) {
    out << " cancelled after " << *input.until_cancel;
  }
  return out;
}

rc::Gen<Input> Input::Any() {
  const auto rarely = rc::gen::weightedElement<bool>({{3, false}, {1, true}});
  const auto member =
      rc::gen::build<Member>(rc::gen::set(&Member::pause, Pauses()),
                             rc::gen::set(&Member::fails, rarely),
                             rc::gen::set(&Member::waits, rarely),
                             rc::gen::set(&Member::cleanup, Pauses()),
                             rc::gen::set(&Member::swallows, rarely));
  return rc::gen::build<Input>(
      rc::gen::set(&Input::children, UpTo(4, member)),
      rc::gen::set(&Input::body, member),
      rc::gen::set(&Input::until_cancel, Maybe(Pauses())));
}

// What has happened in a group.
struct Seen {
  std::vector<std::string> failures;  // In the order of occurrence.
  int cancellations = 0;              // Of the parent, from outside.
  bool somebody_fails = false;  // A member that does not wait for the others.
  Event never;
};

Coro<void> Live(Member member, std::string name, Seen* seen) {
  bool cancelled = false;
  try {
    co_await Take(member.pause);
    if (member.waits && seen->somebody_fails) co_await seen->never.Wait();
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (cancelled) co_await Take(member.cleanup);
  if (cancelled && !member.swallows) throw CancelledError();
  if (!member.fails) co_return;
  seen->failures.push_back(name);
  throw std::runtime_error(name);
}

template <typename G>
Coro<void> Parent(Input input, std::vector<Task<void>>* children, Seen* seen) {
  G group;
  std::vector<std::string> reported;
  bool cancelled = false;
  const auto body = [&]() -> Coro<void> {
    int n = 0;
    for (const Member& child : input.children) {
      auto live = Live(child, std::to_string(n++), seen);
      children->push_back(group.CreateTask(std::move(live)));
    }
    auto live = Live(input.body, "body", seen);
    co_await std::move(live);
  };
  auto run = group.Run(body);
  try {
    co_await std::move(run);
  } catch (const CancelledError&) {
    cancelled = true;
  } catch (const ExceptionGroup& errors) {
    for (const std::exception_ptr& error : errors.exceptions()) {
      try {
        std::rethrow_exception(error);
      } catch (const std::runtime_error& failure) {
        reported.push_back(failure.what());
      }
    }
  }
  for (const Task<void>& child : *children) {
    Always(child.Done(), "nothing outlives the group");
  }
  std::vector<std::string> expected = seen->failures;
  std::sort(expected.begin(), expected.end());
  std::sort(reported.begin(), reported.end());
  Always(reported == expected, "every failure is reported");
  Always(!cancelled || seen->cancellations > 0, "nobody else cancels it");
  Always(CurrentTask()->Cancelling() == seen->cancellations,
         "it takes back its own cancellation, and no other");
  // A cancellation that coincides with failures is delivered next (TG-05).
  if (cancelled) throw CancelledError();
  co_await Sleep(absl::ZeroDuration());
}

// TG-03 to TG-07, TG-09; I-1, I-5, I-7, I-8.
template <typename G>
Coro<void> EndsTogether(const Input& input) {
  Seen seen;
  const auto fails = [](const Member& m) { return m.fails && !m.waits; };
  seen.somebody_fails =
      fails(input.body) ||
      std::any_of(input.children.begin(), input.children.end(), fails);
  std::vector<Task<void>> children;
  auto parent = Parent<G>(input, &children, &seen);
  const Task<void> task = CreateTask(std::move(parent));
  if (input.until_cancel.has_value()) {
    co_await Take(*input.until_cancel);
    if (task.Cancel()) ++seen.cancellations;
  }
  const std::vector<Task<void>> tasks = {task};
  co_await Wait(tasks);
  // A body that swallows it has received it.
  Always(task.Cancelled() == (seen.cancellations > 0) ||
             (input.body.swallows && !task.Cancelled()),
         "a cancellation that was accepted is delivered");
  if (!task.Cancelled()) static_cast<void>(task.Result());
}

CLOTHO_INVARIANT(TaskGroupProperty, EndsTogether, Input,
                 EndsTogether<TaskGroup>)

// ---- Groups that do not keep their promises. ----

// A correct group, around which a mutant misbehaves.
class Wrapped {
 public:
  auto CreateTask(Coro<void> coro) {
    return group_.CreateTask(std::move(coro));
  }

 protected:
  TaskGroup group_;
};

class GroupThatDropsFailures : public Wrapped {
 public:
  template <typename Body>
  Coro<void> Run(Body body) {
    std::exception_ptr first;
    try {
      auto run = group_.Run(body);
      co_await std::move(run);
    } catch (const ExceptionGroup& errors) {
      first = errors.exceptions().front();
    }
    if (first != nullptr) {
      std::rethrow_exception(MakeExceptionGroup("one of them", {first}));
    }
  }
};

// H-16: it reports only the outcomes of its children.
class GroupThatSwallowsTheCancellation : public Wrapped {
 public:
  template <typename Body>
  Coro<void> Run(Body body) {
    try {
      auto run = group_.Run(body);
      co_await std::move(run);
    } catch (const CancelledError&) {
    }
  }
};

// H-18, H-52: its own cancellation stays in the count.
class GroupThatForgetsToUncancel : public Wrapped {
 public:
  template <typename Body>
  Coro<void> Run(Body body) {
    std::exception_ptr error;
    try {
      auto run = group_.Run(body);
      co_await std::move(run);
    } catch (const ExceptionGroup&) {
      error = std::current_exception();
    }
    if (error == nullptr) co_return;
    CurrentTask()->Cancel();
    try {
      co_await Sleep(absl::ZeroDuration());
    } catch (const CancelledError&) {
    }
    std::rethrow_exception(error);
  }
};

// It waits for its children, and cancels them only when it is cancelled itself.
class GroupThatLetsTheOthersGoOn {
 public:
  Task<void> CreateTask(Coro<void> coro) {
    children_.push_back(clotho::CreateTask(std::move(coro)));
    return children_.back();
  }

  template <typename Body>
  Coro<void> Run(Body body) {
    std::vector<std::exception_ptr> errors;
    bool cancelled = false;
    try {
      auto run = body();
      co_await std::move(run);
    } catch (const CancelledError&) {
      cancelled = true;
    } catch (const std::runtime_error&) {
      errors.push_back(std::current_exception());
    }
    while (!cancelled && !AllDone()) {
      try {
        co_await Wait(children_);
      } catch (const CancelledError&) {
        cancelled = true;
      }
    }
    for (const Task<void>& child : children_) child.Cancel();
    if (!children_.empty()) co_await Wait(children_);
    for (const Task<void>& child : children_) {
      if (child.Cancelled()) continue;
      if (auto error = child.GetException()) errors.push_back(error);
    }
    if (errors.empty() && cancelled) throw CancelledError();
    if (errors.empty()) co_return;
    if (cancelled) {
      CurrentTask()->Uncancel();
      CurrentTask()->Cancel();
    }
    std::rethrow_exception(MakeExceptionGroup("all of them", errors));
  }

 private:
  bool AllDone() const {
    return std::all_of(children_.begin(), children_.end(),
                       [](const Task<void>& child) { return child.Done(); });
  }

  std::vector<Task<void>> children_;
};

// It does not wait for its children.
class GroupThatLeavesItsTasksBehind {
 public:
  Task<void> CreateTask(Coro<void> coro) {
    return clotho::CreateTask(std::move(coro));
  }
  template <typename Body>
  Coro<void> Run(Body body) {
    std::exception_ptr error;
    try {
      auto run = body();
      co_await std::move(run);
    } catch (const std::runtime_error&) {
      error = std::current_exception();
    }
    if (error != nullptr) {
      std::rethrow_exception(MakeExceptionGroup("of the body", {error}));
    }
  }
};

TEST(TaskGroupMutants, DropsFailures) {
  EXPECT_EQ(Refutation(EndsTogether<GroupThatDropsFailures>),
            False("every failure is reported"));
}
TEST(TaskGroupMutants, SwallowsTheCancellation) {
  EXPECT_EQ(Refutation(EndsTogether<GroupThatSwallowsTheCancellation>),
            False("a cancellation that was accepted is delivered"));
}
TEST(TaskGroupMutants, ForgetsToUncancel) {
  EXPECT_EQ(Refutation(EndsTogether<GroupThatForgetsToUncancel>),
            False("it takes back its own cancellation, and no other"));
}
TEST(TaskGroupMutants, LetsTheOthersGoOn) {
  EXPECT_THAT(Refutation(EndsTogether<GroupThatLetsTheOthersGoOn>),
              testing::StartsWith("Deadlock"));
}
TEST(TaskGroupMutants, LeavesItsTasksBehind) {
  EXPECT_EQ(Refutation(EndsTogether<GroupThatLeavesItsTasksBehind>),
            False("nothing outlives the group"));
}

}  // namespace
}  // namespace clotho::properties
