// Task groups that swallow a cancellation, or that never end.
//
// task_group_swallows_cancel (gh-116720; Python 3.11 and 3.12): when a child
// fails, the group cancels its own parent, to get it out of the body, and takes
// that back at the end without checking whether another request was made.
// Breaks: a child fails; before the parent runs, it is cancelled from outside.
// The parent continues as if it had not been cancelled.
//
// task_group_takes_late_tasks (gh-94398; before Python 3.11.7): a group that is
// cancelling its children accepts new ones. Breaks: a child fails; another one,
// when cancelled, starts a cleanup task, which is never cancelled.
//
// task_group_keeps_request (gh-95289; Python 3.11): when a child fails, it
// takes back the cancellation of its parent only if CancelledError leaves the
// body. Breaks: a child fails while the body is doing work that suppresses it.
// The parent counts as being cancelled forever.
//
// task_group_uncancels_early (gh-116720; Python 3.11 and 3.12): it takes that
// back before it waits for its children, one of which may fail only then.
//
// The tests: a cancelled task ends cancelled, a group whose child has failed
// ends soon, and it takes back its own requests. The fixed twin is this
// runtime's TaskGroup (rules TG-01 to TG-10).

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/examples/asyncio_bugs/bug_programs.h"
#include "clotho/examples/races/races.h"
#include "clotho/runtime/runtime.h"

namespace clotho::examples {
namespace {

enum class Mistake {
  kSwallowsCancel,
  kTakesLateTasks,
  kKeepsRequest,
  kUncancelsEarly,
};

template <Mistake mistake>
class OldTaskGroup {
 public:
  void CreateTask(Coro<void> coro) {
    if (aborting_ && mistake != Mistake::kTakesLateTasks) {
      coro.Close();
      throw RuntimeError("the group is shutting down");
    }
    Task<void> task = clotho::CreateTask(std::move(coro), {.name = "child"});
    children_.push_back(task);
    ++running_;
    task.AddDoneCallback([this, task] {
      --running_;
      if (!task.Cancelled() && task.GetException() != nullptr) OnFailure();
      if (running_ == 0 && all_done_.has_value() && !all_done_->Done()) {
        all_done_->SetResult();
      }
    });
  }

  Coro<void> Run(Coro<void> body) {
    parent_.emplace(*CurrentTask());
    std::exception_ptr cancelled;
    try {
      co_await std::move(body);
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
      if (!aborting_) Abort();
    }
    in_body_ = mistake == Mistake::kUncancelsEarly;
    if (parent_is_cancelled_ &&
        (mistake != Mistake::kKeepsRequest || cancelled != nullptr)) {
      const int others = parent_->Uncancel();
      if (mistake == Mistake::kSwallowsCancel || others == 0) {
        cancelled = nullptr;
      }
    }
    while (running_ > 0) {
      all_done_.emplace();
      try {
        co_await *all_done_;
      } catch (const CancelledError&) {
        if (!aborting_) {
          cancelled = std::current_exception();
          Abort();
        }
      }
    }
    if (cancelled != nullptr) std::rethrow_exception(cancelled);
    for (const Task<void>& child : children_) {
      if (!child.Cancelled()) static_cast<void>(child.Result());
    }
  }

 private:
  void Abort() {
    aborting_ = true;
    for (const Task<void>& child : std::vector(children_)) child.Cancel();
  }

  void OnFailure() {
    if (aborting_) return;
    Abort();
    if (!in_body_) return;
    parent_is_cancelled_ = true;
    parent_->Cancel();
  }

  std::optional<AnyTask> parent_;
  bool in_body_ = true;
  bool aborting_ = false;
  bool parent_is_cancelled_ = false;
  std::vector<Task<void>> children_;
  int running_ = 0;
  std::optional<Future<void>> all_done_;
};

class NewTaskGroup {
 public:
  void CreateTask(Coro<void> coro) {
    group_.CreateTask(std::move(coro), {.name = "child"});
  }
  Coro<void> Run(Coro<void> body) { co_await group_.Run(std::move(body)); }

 private:
  TaskGroup group_;
};

Coro<void> Fail() {
  throw ValueError("of the child");
  co_return;
}

template <typename Group>
Coro<void> Body(Group& group) {
  group.CreateTask(Fail());
  const Future<void> never;
  co_await never;  // Until it is cancelled.
}

// Runs a group that may fail, and suppresses the failure for the awaiter.
template <typename Group>
Coro<void> Parent() {
  Group group;
  try {
    co_await group.Run(Body(group));
  } catch (const std::exception&) {
  }
  co_await Sleep(absl::ZeroDuration());
}

template <typename Group>
Coro<void> AFailureAndACancellation() {
  Task<void> parent = CreateTask(Parent<Group>(), {.name = "parent"});
  co_await Sleep(absl::ZeroDuration());
  const bool promised = co_await CancelSometime(parent);
  co_await Join({parent});
  Always(!promised || parent.Cancelled(), "who is cancelled ends cancelled");
}

Coro<void> CleanUp() { co_await Sleep(absl::Seconds(500)); }

template <typename Group>
Coro<void> Child(Group& group) {
  std::exception_ptr cancelled;
  try {
    co_await Sleep(HalfASecondOrTwo());
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  if (cancelled == nullptr) co_return;
  try {
    group.CreateTask(CleanUp());
  } catch (const RuntimeError&) {
  }
  std::rethrow_exception(cancelled);
}

Coro<void> FailInASecond() {
  co_await Sleep(absl::Seconds(1));
  throw ValueError("of the child");
}

template <typename Group>
Coro<void> BodyWithCleanUp(Group& group) {
  group.CreateTask(Child(group));
  group.CreateTask(FailInASecond());
  co_await Sleep(absl::Seconds(1));
}

template <typename Group>
Coro<void> AFailureAndACleanUp() {
  Group group;
  try {
    co_await group.Run(BodyWithCleanUp(group));
  } catch (const std::exception&) {
  }
  const Delay now = GetRunningLoop().Time();
  Always(now.ns() < 100'000'000'000, "a group with a failure ends soon");
}

Coro<void> FailLater(Delay when) {
  co_await Sleep(when);
  throw ValueError("of the child");
}

// Suppresses a cancellation.
template <typename Group>
Coro<void> BodyThatGoesOn(Group& group, Delay works, Delay until_failure) {
  group.CreateTask(FailLater(until_failure));
  try {
    co_await Sleep(works);
  } catch (const CancelledError&) {
  }
}

template <typename Group>
Coro<void> AFailureAndNoRequest(Delay works, Delay until_failure) {
  Group group;
  bool failed = false;
  try {
    co_await group.Run(BodyThatGoesOn(group, works, until_failure));
  } catch (const std::exception&) {
    failed = true;
  }
  Always(failed, "the failure of a child comes out");
  Always(CurrentTask()->Cancelling() == 0,
         "a group takes back what it has asked for");
}

Coro<void> RunRequest(bool fixed) {
  const Delay works = HalfASecondOrTwo();
  const Delay until_failure = absl::Seconds(1);
  return fixed ? AFailureAndNoRequest<NewTaskGroup>(works, until_failure)
               : AFailureAndNoRequest<OldTaskGroup<Mistake::kKeepsRequest>>(
                     works, until_failure);
}

Coro<void> RunEarly(bool fixed) {
  const Delay works = absl::Seconds(1);
  const Delay until_failure = HalfASecondOrTwo();
  return fixed ? AFailureAndNoRequest<NewTaskGroup>(works, until_failure)
               : AFailureAndNoRequest<OldTaskGroup<Mistake::kUncancelsEarly>>(
                     works, until_failure);
}

Coro<void> RunCancellation(bool fixed) {
  return fixed ? AFailureAndACancellation<NewTaskGroup>()
               : AFailureAndACancellation<
                     OldTaskGroup<Mistake::kSwallowsCancel>>();
}

Coro<void> RunCleanUp(bool fixed) {
  return fixed ? AFailureAndACleanUp<NewTaskGroup>()
               : AFailureAndACleanUp<OldTaskGroup<Mistake::kTakesLateTasks>>();
}

}  // namespace

std::vector<Race> TaskGroupBugs() {
  return {Bug({.name = "task_group_swallows_cancel",
               .says = "who is cancelled ends cancelled",
               .published = {.note = "gh-116720, 3.11 and 3.12"}},
              &RunCancellation),
          Bug({.name = "task_group_takes_late_tasks",
               .says = "a group with a failure ends soon",
               .published = {.note = "gh-94398, before 3.11.7"}},
              &RunCleanUp),
          Bug({.name = "task_group_keeps_request",
               .depth = 1,
               .says = "a group takes back what it has asked for",
               .published = {.note = "gh-95289, 3.11"}},
              &RunRequest),
          Bug({.name = "task_group_uncancels_early",
               .depth = 1,
               .says = "a group takes back what it has asked for",
               .published = {.note = "gh-116720, 3.11 and 3.12"}},
              &RunEarly)};
}

}  // namespace clotho::examples
