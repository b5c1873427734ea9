// What Barrier promises: no task passes before all have arrived, all pass once
// they have, and each gets a different position, round after round (rules BR-01
// to BR-04). Also barriers that break these promises.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <ostream>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "clotho/properties/runtime/cancel_everywhere.h"
#include "clotho/properties/runtime/invariant.h"
#include "clotho/properties/runtime/random_pause.h"
#include "clotho/runtime/runtime.h"
#include "clotho/sim/run_until_idle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rapidcheck.h"

namespace clotho::properties {
namespace {

using testing::HasSubstr;

struct Input {
  // The pauses before the rounds, for each party.
  std::vector<std::vector<Pause>> parties;
  // One more task arrives in the first round, and is cancelled.
  Pause guest;
  Pause until_cancel;
  bool aborts = false;  // Instead of a reset.

  static rc::Gen<Input> Any();
};

constexpr std::size_t kRounds = 3;

std::ostream& operator<<(std::ostream& out, const Input& input) {
  for (const std::vector<Pause>& party : input.parties) {
    out << "{";
    for (const Pause& pause : party) out << "after " << pause << "; ";
    out << "} ";
  }
  return out << "a guest after " << input.guest << ", cancelled after "
             << input.until_cancel << (input.aborts ? "; abort" : "; reset");
}

rc::Gen<Input> Input::Any() {
  const auto party = rc::gen::container<std::vector<Pause>>(kRounds, Pauses());
  return rc::gen::build<Input>(
      rc::gen::set(
          &Input::parties,
          rc::gen::mapcat(
              rc::gen::inRange<std::size_t>(1, 5),
              [party](std::size_t n) {
                return rc::gen::container<std::vector<std::vector<Pause>>>(
                    n, party);
              })),
      rc::gen::set(&Input::guest, Pauses()),
      rc::gen::set(&Input::until_cancel, Pauses()),
      rc::gen::set(&Input::aborts, rc::gen::arbitrary<bool>()));
}

struct Round {
  std::size_t came = 0;
  std::set<std::size_t> positions;
};

template <typename B>
Coro<void> Attend(B* barrier, std::vector<Pause> pauses, std::size_t parties,
                  std::vector<Round>* rounds) {
  for (std::size_t i = 0; i < pauses.size(); ++i) {
    co_await Take(pauses[i]);
    Round& round = (*rounds)[i];
    ++round.came;
    const std::size_t position = co_await barrier->Wait();
    Always(round.came == parties, "nobody passes before all have come");
    Always(position < parties, "a position is one of so many");
    Always(round.positions.insert(position).second,
           "each has a position of its own");
  }
}

// BR-01, BR-02; I-2, I-11.
template <typename B>
Coro<void> MeetsInRounds(const Input& input) {
  B barrier(static_cast<std::int64_t>(input.parties.size()));
  std::vector<Round> rounds(kRounds);
  std::vector<Task<void>> tasks;
  for (const std::vector<Pause>& pauses : input.parties) {
    auto attend = Attend(&barrier, pauses, input.parties.size(), &rounds);
    tasks.push_back(CreateTask(std::move(attend)));
  }
  for (const Task<void>& task : tasks) co_await task;
  Always(barrier.NWaiting() == 0, "nobody is left");
}

struct Crowd {
  std::size_t passed = 0;
  std::size_t broken = 0;
};

template <typename B>
Coro<void> Come(B* barrier, Pause pause, Crowd* crowd) {
  co_await Take(pause);
  try {
    co_await barrier->Wait();
    ++crowd->passed;
  } catch (const BrokenBarrierError&) {
    ++crowd->broken;
  }
}

// BR-03, BR-04; I-2, I-3.
template <typename B>
Coro<void> WhoIsCancelledLeavesItsPlace(const Input& input) {
  const std::size_t parties = input.parties.size();
  B barrier(static_cast<std::int64_t>(parties));
  Crowd crowd;
  std::vector<Task<void>> tasks;
  for (const std::vector<Pause>& pauses : input.parties) {
    auto come = Come(&barrier, pauses.front(), &crowd);
    tasks.push_back(CreateTask(std::move(come)));
  }
  auto come = Come(&barrier, input.guest, &crowd);
  const Task<void> guest = CreateTask(std::move(come));
  tasks.push_back(guest);
  co_await Take(input.until_cancel);
  const bool cancelled = guest.Cancel();
  Sometimes(cancelled, "the guest is cancelled in time");
  // Everything takes less time than this, once started.
  for (int ms = 0; ms < 6; ++ms) {
    co_await sim::Advance(absl::Milliseconds(1));
  }
  // A guest that is cancelled when its round is complete counts in it.
  Always((crowd.passed >= parties && crowd.passed % parties == 0) ||
             (cancelled && crowd.passed + 1 == parties),
         "a round that is complete passes");
  Always(!barrier.Broken(), "who is cancelled breaks nothing");
  if (input.aborts) {
    auto abort = barrier.Abort();
    co_await std::move(abort);
  } else {
    auto reset = barrier.Reset();
    co_await std::move(reset);
  }
  co_await Wait(tasks);
  Always(
      crowd.passed + crowd.broken + (guest.Cancelled() ? 1 : 0) == parties + 1,
      "all others are told that it is broken");
  Always(barrier.Broken() == input.aborts, "it is broken if it was aborted");
}

CLOTHO_INVARIANT(BarrierProperty, MeetsInRounds, Input, MeetsInRounds<Barrier>)
CLOTHO_INVARIANT(BarrierProperty, WhoIsCancelledLeavesItsPlace, Input,
                 WhoIsCancelledLeavesItsPlace<Barrier>)

std::optional<Input> GuestIsCancelled(Input input, std::size_t who, int turns) {
  if (who > 0) return std::nullopt;
  for (std::vector<Pause>& pauses : input.parties) {
    for (Pause& pause : pauses) pause.ms = 0;
  }
  input.guest.ms = 0;
  input.until_cancel = {.yields = turns};
  return input;
}

TEST(BarrierModel, HoldsWhereverATaskIsCancelled) {
  EXPECT_EQ(
      FailureAnywhere(WhoIsCancelledLeavesItsPlace<Barrier>, GuestIsCancelled),
      "");
}

// ---- Barriers that do not keep their promises. ----

enum class Fault {
  kNone,
  kOpensEarly,         // When one task is missing.
  kSamePosition,       // For all tasks.
  kKeepsThePlace,      // Of a cancelled task.
  kBreaks,             // When a task is cancelled, as with Python's threads.
  kForgetsToWake,      // The waiting tasks, on a reset.
  kLetsTheNextRoundIn  // While the last task is still leaving.
};

// asyncio's algorithm.
template <Fault kFault>
class FaultyBarrier {
 public:
  explicit FaultyBarrier(std::int64_t parties)
      : parties_(static_cast<std::size_t>(parties)) {}

  std::size_t NWaiting() const { return state_ == kFilling ? count_ : 0; }
  bool Broken() const { return state_ == kBroken; }

  Coro<std::size_t> Wait() {
    auto guard = co_await changed_.Acquire();
    while (state_ == kDraining || state_ == kResetting) {
      if (kFault == Fault::kLetsTheNextRoundIn) break;
      co_await changed_.Wait();
    }
    if (state_ == kBroken) throw BrokenBarrierError("aborted");
    const std::size_t position = kFault == Fault::kSamePosition ? 0 : count_;
    ++count_;
    const bool opens_early = kFault == Fault::kOpensEarly && parties_ > 1;
    if (count_ + (opens_early ? 1 : 0) == parties_) {
      state_ = kDraining;
      changed_.NotifyAll();
    }
    std::exception_ptr cancelled;
    try {
      while (state_ == kFilling) co_await changed_.Wait();
    } catch (const CancelledError&) {
      cancelled = std::current_exception();
      if (kFault == Fault::kKeepsThePlace) ++count_;
      if (kFault == Fault::kBreaks) state_ = kBroken;
    }
    const State state = state_;
    // The last task to leave opens the next round.
    if (--count_ == 0 && (state == kDraining || state == kResetting)) {
      state_ = kFilling;
      changed_.NotifyAll();
    }
    if (cancelled != nullptr) std::rethrow_exception(cancelled);
    if (state != kDraining) throw BrokenBarrierError("aborted or reset");
    co_return position;
  }

  Coro<void> Reset() {
    auto guard = co_await changed_.Acquire();
    state_ = count_ > 0 ? kResetting : kFilling;
    if (kFault != Fault::kForgetsToWake) changed_.NotifyAll();
  }
  Coro<void> Abort() {
    auto guard = co_await changed_.Acquire();
    state_ = kBroken;
    changed_.NotifyAll();
  }

 private:
  enum State { kFilling, kDraining, kResetting, kBroken };

  const std::size_t parties_;
  Condition changed_;
  State state_ = kFilling;
  std::size_t count_ = 0;
};

TEST(BarrierMutants, WithoutAFaultItHolds) {
  EXPECT_EQ(Refutation(MeetsInRounds<FaultyBarrier<Fault::kNone>>), "");
  EXPECT_EQ(
      Refutation(WhoIsCancelledLeavesItsPlace<FaultyBarrier<Fault::kNone>>),
      "");
}
TEST(BarrierMutants, OpensEarly) {
  EXPECT_EQ(Refutation(MeetsInRounds<FaultyBarrier<Fault::kOpensEarly>>),
            False("nobody passes before all have come"));
}
TEST(BarrierMutants, SamePosition) {
  EXPECT_EQ(Refutation(MeetsInRounds<FaultyBarrier<Fault::kSamePosition>>),
            False("each has a position of its own"));
}
TEST(BarrierMutants, LetsTheNextRoundIn) {
  EXPECT_EQ(
      Refutation(MeetsInRounds<FaultyBarrier<Fault::kLetsTheNextRoundIn>>),
      False("nobody passes before all have come"));
}
// It never becomes empty again.
TEST(BarrierMutants, KeepsThePlace) {
  EXPECT_THAT(
      Refutation(
          WhoIsCancelledLeavesItsPlace<FaultyBarrier<Fault::kKeepsThePlace>>),
      testing::StartsWith("Deadlock"));
}
TEST(BarrierMutants, ModelFindsThoseThatBreak) {
  EXPECT_THAT(FailureAnywhere(
                  WhoIsCancelledLeavesItsPlace<FaultyBarrier<Fault::kBreaks>>,
                  GuestIsCancelled),
              HasSubstr(False("who is cancelled breaks nothing")));
}
TEST(BarrierMutants, Breaks) {
  EXPECT_EQ(
      Refutation(WhoIsCancelledLeavesItsPlace<FaultyBarrier<Fault::kBreaks>>),
      False("who is cancelled breaks nothing"));
}
TEST(BarrierMutants, ForgetsToWake) {
  EXPECT_THAT(
      Refutation(
          WhoIsCancelledLeavesItsPlace<FaultyBarrier<Fault::kForgetsToWake>>),
      testing::StartsWith("Deadlock"));
}

}  // namespace
}  // namespace clotho::properties
