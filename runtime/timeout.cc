#include "clotho/runtime/timeout.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/task_base.h"

namespace clotho {

void TimeoutScope::Enter(internal::TaskBase& task) {
  if (state_ != State::kCreated) {
    throw RuntimeError("Timeout has already been entered");
  }
  state_ = State::kActive;
  task_ = &task;
  cancelling_before_ = task.cancelling();
  Arm();
}

void TimeoutScope::Arm() {
  Disarm();
  if (!when_.has_value()) return;
  EventLoop& loop = *task_->loop();
  const auto fire = [this] {
    task_->Cancel(nullptr);
    state_ = State::kExpiring;
    handle_.reset();
  };
  if (when_->ns() <= CoreOf(loop).NowNs()) {
    handle_ = loop.CallSoon(fire);  // Not a timer: TO-03.
  } else {
    handle_ = loop.CallAt(*when_, fire);
  }
}

void TimeoutScope::Reschedule(std::optional<Delay> when) {
  switch (state_) {
    case State::kCreated:
      throw RuntimeError("Timeout has not been entered");
    case State::kActive:
      break;
    case State::kExpiring:
      throw RuntimeError("Cannot change state of expiring Timeout");
    case State::kExpired:
      throw RuntimeError("Cannot change state of expired Timeout");
    case State::kFinished:
      throw RuntimeError("Cannot change state of finished Timeout");
  }
  when_ = when;
  Arm();
}

std::optional<absl::Duration> TimeoutScope::When() const {
  if (!when_.has_value()) return std::nullopt;
  return when_->duration();
}

bool TimeoutScope::Exit() {
  Disarm();
  if (state_ == State::kExpiring) {
    state_ = State::kExpired;
    return task_->Uncancel() <= cancelling_before_;
  }
  state_ = State::kFinished;
  return false;
}

namespace internal {

Delay DeadlineOf(EventLoop& loop, Delay delay) {
  return Delay::Nanoseconds(SaturatingAdd(CoreOf(loop).NowNs(), delay.ns()));
}

}  // namespace internal
}  // namespace clotho
