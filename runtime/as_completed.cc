#include "clotho/runtime/as_completed.h"

#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clotho/runtime/event_loop.h"
#include "clotho/runtime/internal/sync.h"

namespace clotho::internal {

AsCompletedState::AsCompletedState(const std::vector<Ref<FutureBase>>& futures,
                                   const AsCompletedOptions& options)
    : missing_(futures.size()),
      left_(futures.size()),
      completed_(*this),
      watchers_(futures.size()),
      end_(*this) {
  SyncUnknown("AsCompleted");
  EventLoop& loop = GetRunningLoop();
  for (const Ref<FutureBase>& future : futures) {
    Watcher& watcher = watchers_.Emplace(*this, future);
    AddRef();  // The watcher's.
    if (future->done()) {
      CoreOf(loop).Push(watcher);
    } else {
      future->AddWaiter(watcher);
    }
  }
  if (missing_ > 0 && options.timeout.has_value()) {
    AddRef();  // The timer's.
    CoreOf(loop).Arm(
        end_, SaturatingAdd(CoreOf(loop).NowNs(), options.timeout->ns()));
  }
}

void AsCompletedState::Watcher::Run() {
  const Ref<AsCompletedState> keep = Ref<AsCompletedState>::Adopt(&state_);
  SyncJoin(&state_);
  state_.FutureIsDone(this - state_.watchers_.begin());
}

void AsCompletedState::End::Run() {
  const Ref<AsCompletedState> keep = Ref<AsCompletedState>::Adopt(&state_);
  state_.TimeIsUp();
}

void AsCompletedState::FutureIsDone(Index index) {
  if (timed_out_) return;
  completed_.PutNowait(index);
  if (--missing_ > 0 || !end_.armed()) return;
  CoreOf(*watchers_[0].future()->loop()).Disarm(end_);
  Release();
}

void AsCompletedState::TimeIsUp() {
  timed_out_ = true;
  for (Watcher& watcher : watchers_) {
    if (!watcher.is_linked()) continue;
    watcher.Unlink();
    Release();
  }
  for (; missing_ > 0; --missing_) completed_.PutNowait(kTimedOut);
}

void AsCompletedState::CompletedQueue::ExplainWait(WaitInfo& info) const {
  info.what = absl::StrCat("AsCompleted(", state_.watchers_.size(), ")");
  for (const Watcher& watcher : state_.watchers_) {
    if (!watcher.future()->done()) info.parts.push_back(watcher.future().get());
  }
}

}  // namespace clotho::internal
