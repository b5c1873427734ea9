#include "clotho/runtime/sleep.h"

#include "absl/strings/str_cat.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/event_loop.h"

namespace clotho::internal {

SleepState::SleepState(EventLoop& loop, Delay delay)
    : WaiterFuture(loop), delay_(delay), end_(*this) {
  CoreOf(loop).Arm(end_, SaturatingAdd(CoreOf(loop).NowNs(), delay.ns()));
}

SleepState::~SleepState() {
  if (ended_) return;
  if (end_.armed()) {
    CoreOf(*loop()).Disarm(end_);
  } else {
    CoreOf(*loop()).Withdraw(
        end_);  // It was due, but the sleeper was cancelled.
  }
}

void SleepState::End::Run() {
  sleep_.ended_ = true;
  sleep_.Wake();
}

Runnable* SleepState::End::EventualStep() {
  return sleep_.done() ? nullptr : sleep_.FirstEventualStep();
}

void SleepState::Explain(WaitInfo& info) const {
  info.what = absl::StrCat("Sleep(", delay_.ToString(), ")");
}

}  // namespace clotho::internal
