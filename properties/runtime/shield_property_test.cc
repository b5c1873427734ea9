// What Shield promises: the inner task is never cancelled along with the outer
// one, and otherwise its outcome is passed on (rules SH-01 to SH-05). Also
// shields that break these promises.

#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

struct Input {
  Pause inner;
  bool fails = false;
  // For the shield, and for the inner task.
  std::optional<Pause> until_cancel;
  std::optional<Pause> until_inner_cancel;

  static rc::Gen<Input> Any();
};

std::ostream& operator<<(std::ostream& out, const Input& input) {
  out << "inner " << input.inner << (input.fails ? ", fails" : "");
  if (input.until_cancel.has_value()) {
    out << "; cancelled after " << *input.until_cancel;
  }
  if (input.until_inner_cancel.has_value()) {
    out << "; inner cancelled after " << *input.until_inner_cancel;
  }
  return out;
}

rc::Gen<Input> Input::Any() {
  return rc::gen::build<Input>(
      rc::gen::set(&Input::inner, Pauses()),
      rc::gen::set(&Input::fails, rc::gen::arbitrary<bool>()),
      rc::gen::set(&Input::until_cancel, Maybe(Pauses())),
      rc::gen::set(&Input::until_inner_cancel, Maybe(Pauses())));
}

Coro<int> Inner(Input input) {
  co_await Take(input.inner);
  if (input.fails) throw std::runtime_error("inner");
  co_return 7;
}

// "7", "inner", or "cancelled".
std::string OutcomeOf(const Future<int>& future) {
  try {
    return std::to_string(future.Result());
  } catch (const CancelledError&) {
    return "cancelled";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

struct RealShield {
  static Future<int> Protect(const Task<int>& task) { return Shield(task); }
  static bool Cancel(const Future<int>& shield, const Task<int>&) {
    return shield.Cancel();
  }
};

// SH-01 to SH-05; I-1, I-5, I-7.
template <typename S>
Coro<void> TheInnerTaskGoesOn(const Input& input) {
  auto inner = Inner(input);
  const Task<int> task = CreateTask(std::move(inner));
  const Future<int> shield = S::Protect(task);
  std::vector<Task<void>> cancels;
  bool accepted = false;
  bool inner_accepted = false;
  const auto cancel = [&](Pause pause) -> Coro<void> {
    co_await Take(pause);
    const bool was_done = shield.Done();
    accepted = S::Cancel(shield, task);
    Always(accepted == !was_done, "it is cancelled unless it is done");
    Always(!accepted || shield.Cancelled(), "it is cancelled at once");
  };
  const auto cancel_inner = [&](Pause pause) -> Coro<void> {
    co_await Take(pause);
    inner_accepted = task.Cancel();
  };
  if (input.until_cancel.has_value()) {
    auto cancelling = cancel(*input.until_cancel);
    cancels.push_back(CreateTask(std::move(cancelling)));
  }
  if (input.until_inner_cancel.has_value()) {
    auto cancelling = cancel_inner(*input.until_inner_cancel);
    cancels.push_back(CreateTask(std::move(cancelling)));
  }
  try {
    co_await shield;
  } catch (const CancelledError&) {
    Always(accepted || inner_accepted, "nobody else cancels it");
  } catch (const std::runtime_error&) {
  }
  const std::vector<Task<int>> tasks = {task};
  co_await Wait(tasks);
  Always(task.Cancelled() == inner_accepted, "the inner task is not cancelled");
  const std::string outcome = OutcomeOf(task);
  Always(OutcomeOf(shield) == (accepted ? "cancelled" : outcome),
         "it has the outcome of the inner task");
  for (const Task<void>& cancelling : cancels) co_await cancelling;
}

CLOTHO_INVARIANT(ShieldProperty, TheInnerTaskGoesOn, Input,
                 TheInnerTaskGoesOn<RealShield>)

// ---- Shields that do not keep their promises. ----

struct ShieldThatPassesItOn : RealShield {
  static bool Cancel(const Future<int>& shield, const Task<int>& task) {
    if (!shield.Cancel()) return false;
    task.Cancel();
    return true;
  }
};

Coro<int> Copy(Task<int> task) {
  const std::vector<Task<int>> tasks = {task};
  bool cancelled = false;
  while (!task.Done()) {
    try {
      co_await Wait(tasks);
    } catch (const CancelledError&) {
      cancelled = true;
    }
  }
  if (cancelled) throw CancelledError();
  co_return task.Result();
}

// It notices its cancellation only when the inner task has ended.
struct ShieldThatWaits : RealShield {
  static Future<int> Protect(const Task<int>& task) {
    auto copy = Copy(task);
    return CreateTask(std::move(copy));
  }
};

struct ShieldThatHidesFailures : RealShield {
  static Future<int> Protect(const Task<int>& task) {
    const Future<int> shield;
    task.AddDoneCallback([=](const Future<int>& done) {
      if (shield.Done()) return;
      if (done.Cancelled()) {
        shield.Cancel();
      } else {
        shield.SetResult(done.GetException() == nullptr ? done.Result() : 0);
      }
    });
    return shield;
  }
};

TEST(ShieldMutants, PassesItOn) {
  EXPECT_EQ(Refutation(TheInnerTaskGoesOn<ShieldThatPassesItOn>),
            False("the inner task is not cancelled"));
}
TEST(ShieldMutants, Waits) {
  EXPECT_EQ(Refutation(TheInnerTaskGoesOn<ShieldThatWaits>),
            False("it is cancelled at once"));
}
TEST(ShieldMutants, HidesFailures) {
  EXPECT_EQ(Refutation(TheInnerTaskGoesOn<ShieldThatHidesFailures>),
            False("it has the outcome of the inner task"));
}

}  // namespace
}  // namespace clotho::properties
