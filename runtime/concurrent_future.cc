#include "clotho/runtime/concurrent_future.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "clotho/runtime/delay.h"
#include "clotho/runtime/exceptions.h"
#include "clotho/runtime/internal/thread_model.h"

namespace clotho::internal {
namespace {

// An exception must not keep the other callbacks from being called, nor reach
// the thread that completes the future.
void CallDoneCallback(absl::AnyInvocable<void()>& callback) noexcept {
  try {
    callback();
  } catch (...) {
    std::fprintf(stderr,
                 "clotho: exception in a callback of a ConcurrentFuture: %s\n",
                 DescribeException(std::current_exception()).c_str());
  }
}

}  // namespace

bool ConcurrentState::done() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return IsDone();
}

bool ConcurrentState::running() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_ == State::kRunning;
}

bool ConcurrentState::cancelled() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_ == State::kCancelled;
}

void ConcurrentState::CheckNotDone() const {
  if (!IsDone()) return;
  throw InvalidStateError(
      state_ == State::kCancelled
          ? "the future was cancelled: it takes no result any more"
          : "the future is done: it takes no second result");
}

void ConcurrentState::Finish(State state, std::unique_lock<std::mutex> lock) {
  state_ = state;
  std::vector<absl::AnyInvocable<void()>> callbacks =
      std::exchange(callbacks_, {});
  changed_.notify_all();
  lock.unlock();
  for (absl::AnyInvocable<void()>& callback : callbacks) {
    CallDoneCallback(callback);
  }
}

bool ConcurrentState::Cancel() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (state_ != State::kPending) return state_ == State::kCancelled;
  Finish(State::kCancelled, std::move(lock));
  return true;
}

bool ConcurrentState::SetRunningOrNotifyCancel() {
  std::lock_guard<std::mutex> lock(mutex_);
  switch (state_) {
    case State::kPending:
      state_ = State::kRunning;
      return true;
    case State::kCancelled:
      return false;
    case State::kRunning:
    case State::kFinished:
      break;
  }
  throw InvalidStateError(
      "somebody is at work on the future already, or has finished it");
}

void ConcurrentState::SetException(std::exception_ptr exception) {
  Finish([&] { exception_ = std::move(exception); });
}

void ConcurrentState::AddDoneCallback(absl::AnyInvocable<void()> callback) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!IsDone()) {
      callbacks_.push_back(std::move(callback));
      return;
    }
  }
  CallDoneCallback(callback);
}

void ConcurrentState::Wait(std::optional<Delay> timeout) const {
  const auto is_done = [this] { return IsDone(); };
  std::unique_lock<std::mutex> lock(mutex_);
  if (is_done()) return;
  if (!timeout.has_value() || timeout->ns() > 0) {
    if (thread_model != nullptr) {
      throw RuntimeError(
          "in a simulation nothing could complete a ConcurrentFuture while its "
          "thread waits for it: co_await WrapFuture(future) instead");
    }
    if (!timeout.has_value()) {
      changed_.wait(lock, is_done);
      return;
    }
    using Clock = std::chrono::steady_clock;
    const std::chrono::nanoseconds now = Clock::now().time_since_epoch();
    const Clock::time_point deadline{
        std::chrono::nanoseconds(SaturatingAdd(now.count(), timeout->ns()))};
    if (changed_.wait_until(lock, deadline, is_done)) return;
  }
  throw TimeoutError();
}

std::exception_ptr ConcurrentState::GetException(
    std::optional<Delay> timeout) const {
  Wait(timeout);
  // The outcome no longer changes: a thread that sees the final state sees it
  // too.
  if (state_ == State::kCancelled) throw CancelledError();
  return exception_;
}

}  // namespace clotho::internal
